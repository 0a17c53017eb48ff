import type { QueryResult } from '../connection.ts';

/** The format that `parseResult` reads: a line of names, a line of types, a line per row, each a JSON array. */
export const RESULT_FORMAT = 'JSONCompactEachRowWithNamesAndTypes';

/** Reads a whole result. A line break is never inside of a JSON text, so that the lines are one array but for commas. */
export function parseResult<Row extends readonly unknown[]>(bytes: Uint8Array): QueryResult<Row> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').trimEnd();
  if (text === '') {
    return { columns: [], rows: [] };
  }
  const [names, types, ...rows] = JSON.parse(`[${text.replaceAll('\n', ',')}]`) as [string[], string[], ...Row[]];
  return { columns: names.map((name, index) => ({ name, type: types[index] as string })), rows };
}
