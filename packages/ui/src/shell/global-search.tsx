import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { findTraceId } from '../data/url-state.ts';
import styles from './global-search.module.css';

/** A trace id (alone, or within what was pasted) opens the trace; anything else is looked for in the logs. */
export function GlobalSearch() {
  const [text, setText] = useState('');
  const navigate = useNavigate();

  function open(value: string) {
    const traceId = findTraceId(value);
    if (traceId) void navigate({ to: '/traces/$traceId', params: { traceId } });
    else if (value.trim()) void navigate({ to: '/logs', search: { q: value.trim() } });
    else return;
    setText('');
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  return (
    <search className={styles.search}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          open(text);
        }}
      >
        <IconSearch size={14} stroke={1.8} className={styles.icon} aria-hidden="true" />
        <input
          data-testid="global-search"
          className={styles.input}
          placeholder="Trace id, or words in logs"
          aria-label="Search: a trace id opens the trace, words are looked for in the logs"
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setText(event.currentTarget.value)}
          onPaste={(event) => {
            const pasted = event.clipboardData.getData('text');
            if (!findTraceId(pasted)) return;
            event.preventDefault();
            open(pasted);
          }}
        />
        <span className={styles.key}>
          <kbd>/</kbd>
        </span>
      </form>
    </search>
  );
}
