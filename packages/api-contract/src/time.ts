/**
 * An instant as decimal nanoseconds since the Unix epoch, always a string: a JavaScript number cannot hold it.
 * The name and the form are those of OTLP/JSON (`startTimeUnixNano`).
 */
export type UnixNano = string;

/**
 * `start` and `end` as a request carries them. Either may be Unix milliseconds (`1764000000000`), RFC 3339
 * (`2026-11-21T09:00:00Z`) or relative to the server's clock (`now`, `now-15m`; units s, m, h, d, w).
 * `start` is inclusive, `end` exclusive. Without them: the last hour.
 */
export interface TimeRangeParameters {
  start?: string;
  end?: string;
}
