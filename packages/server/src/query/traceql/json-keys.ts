import type { SqlParameters } from '../sql-parameters.ts';

const plainKey = /^[\w.:/-]+$/;

/** Whether the key's JSON text is the key itself between quotes, whoever writes it. */
export function isPlainKey(key: string): boolean {
  return plainKey.test(key);
}

/**
 * SQL that is true where one of the OTLP/JSON texts has the key, and perhaps elsewhere: looking for a text is much less work
 * than reading it.
 * @param column SQL of `Array(String)`
 */
export function mayHold(column: string, key: string, parameters: SqlParameters): string {
  if (!isPlainKey(key)) return `arrayExists(e -> e != '', ${column})`;
  return `arrayExists(e -> position(e, ${parameters.string(JSON.stringify(key))}) > 0, ${column})`;
}
