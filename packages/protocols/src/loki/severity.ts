/** OTLP's severity number (logs.proto) of the words that loggers write. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['trace', 1],
  ['trc', 1],
  ['debug', 5],
  ['dbg', 5],
  ['information', 9],
  ['info', 9],
  ['inf', 9],
  ['notice', 10],
  ['warning', 13],
  ['warn', 13],
  ['wrn', 13],
  ['error', 17],
  ['err', 17],
  ['eror', 17],
  ['critical', 18],
  ['crit', 18],
  ['alert', 19],
  ['panic', 21],
  ['fatal', 21],
  ['emergency', 21],
  ['emerg', 21],
]);

/** Levels of pino and bunyan. */
const NUMERIC: ReadonlyMap<string, number> = new Map([
  ['10', 1],
  ['20', 5],
  ['30', 9],
  ['40', 13],
  ['50', 17],
  ['60', 21],
]);

/** 0 for a word that is no level. */
export function severityNumberOf(level: string): number {
  return NUMBERS.get(level.toLowerCase()) ?? NUMERIC.get(level) ?? 0;
}
