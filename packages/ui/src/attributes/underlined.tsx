import styles from './underlined.module.css';

/** What was written, with the part marked that is wrong. */
export function Underlined({ text, position }: { text: string; position: { start: number; end: number } }) {
  const { start, end } = position;
  return (
    <code className={styles.written}>
      {text.slice(0, start)}
      <mark className={styles.wrong} data-testid="filter-mistake">
        {start < end ? text.slice(start, end) : '\u2009?\u2009'}
      </mark>
      {text.slice(end)}
    </code>
  );
}
