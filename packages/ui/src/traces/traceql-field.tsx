import { Textarea } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Underlined } from '../attributes/underlined.tsx';
import { ApiError } from '../data/api-client.ts';
import { type TraceqlMistake, traceqlMistake } from '../data/traceql-text.ts';
import styles from './traceql-field.module.css';

interface Props {
  value: string;
  onChange: (query: string) => void;
  /** What was pasted or typed instead of a query; true: dealt with. */
  onOther: (text: string) => boolean;
  /** Why the request with this query failed, if it did. */
  failure: unknown;
}

/** A search in TraceQL. Takes effect on Enter; what is wrong is underlined, and selected so that typing replaces it. */
export function TraceqlField({ value, onChange, onOther, failure }: Props) {
  const [text, setText] = useState(value);
  const [mistake, setMistake] = useState<(TraceqlMistake & { text: string }) | null>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (mistake) input.current?.setSelectionRange(mistake.position.start, mistake.position.end);
  }, [mistake]);
  const refused = failure instanceof ApiError && failure.parameter === 'q' ? failure : undefined;
  const shown =
    mistake ??
    (refused && { text: value, message: refused.message, position: refused.position ?? { start: 0, end: 0 } });

  function commit(): void {
    const query = text.trim();
    if (onOther(query)) return;
    const found = traceqlMistake(query);
    setMistake(found === undefined ? null : { ...found, text: query });
    if (found === undefined) onChange(query);
  }

  return (
    <Textarea
      ref={input}
      size="xs"
      className={styles.field ?? ''}
      classNames={{ input: styles.input ?? '' }}
      aria-label="TraceQL"
      aria-invalid={shown !== undefined && shown !== null}
      placeholder='{ status = error } >> { db.system.name = "postgresql" }'
      autosize
      minRows={1}
      maxRows={8}
      spellCheck={false}
      autoComplete="off"
      value={text}
      error={
        shown ? (
          <span role="alert" className={styles.problem}>
            <Underlined text={shown.text} position={shown.position} />
            <span>{shown.message}</span>
          </span>
        ) : null
      }
      onChange={(event) => {
        setText(event.currentTarget.value);
        setMistake(null);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.shiftKey) return;
        event.preventDefault();
        commit();
      }}
    />
  );
}
