import { Switch } from '@mantine/core';
import { useMemo, useState } from 'react';
import { LongText } from '../attributes/attribute-table.tsx';
import { parseStackTrace } from '../data/stack-trace.ts';
import { CopyButton } from '../shell/page-states.tsx';
import styles from './exception-view.module.css';

/** An exception: its type, its message, its stack with the program's own frames in front of the eye. */
export function ExceptionView({ type, message, stack }: { type: string; message: string; stack: string }) {
  const [all, setAll] = useState(false);
  const { lines, more } = useMemo(() => parseStackTrace(stack), [stack]);
  const foreign = lines.filter(({ own }) => !own).length;
  const own = lines.length - foreign;
  const shown = all || own < 2 ? lines : lines.filter((line) => line.own);
  return (
    <div className={styles.exception}>
      {type || message || !stack ? (
        <div className={styles.headline}>
          <span className={styles.type}>{type || 'Exception'}</span>
          {message ? (
            <span className={styles.message}>
              <LongText text={message} limit={500} />
            </span>
          ) : null}
        </div>
      ) : null}
      {stack ? (
        <div className={styles.box}>
          <div className={styles.bar}>
            {foreign > 0 && own >= 2 ? (
              <Switch
                size="xs"
                checked={all}
                onChange={(event) => setAll(event.currentTarget.checked)}
                label={`Library frames (${foreign})`}
              />
            ) : null}
            <span className="grow" />
            <CopyButton text={stack} label="Copy the stack trace" />
          </div>
          <pre className={styles.stack}>
            {shown.map((line, index) => (
              <span key={String(index)} className={styles[line.kind]} data-foreign={!line.own || undefined}>
                {line.text}
                {'\n'}
              </span>
            ))}
            {more > 0 ? `… ${more} more lines\n` : ''}
          </pre>
        </div>
      ) : null}
    </div>
  );
}
