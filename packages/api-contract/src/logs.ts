import type { AnyValue, KeyValue } from './attributes.ts';
import type { FilterText } from './filter.ts';
import type { TimeRangeParameters, UnixNano } from './time.ts';

/** The six ranges of OpenTelemetry's severity numbers; UNSPECIFIED is 0. */
export type Severity = 'UNSPECIFIED' | 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

export interface LogSearchParameters extends TimeRangeParameters {
  /** Words that must all be in the body, any case; `"a phrase"` in quotes; `-word` must not be there. */
  q?: string;
  service?: string;
  /** Repeatable: any of these. */
  severity?: Severity[];
  /** Repeatable; all must hold. */
  filter?: FilterText[];
  traceId?: string;
  spanId?: string;
  /** 1…5000, default 200. */
  limit?: number;
  /** The `nextCursor` of the answer before. */
  cursor?: string;
}

export interface LogRecord {
  /** Stable, unique in the store as far as the record's content is: a React key, and the anchor of a link. */
  id: string;
  /** The record's time, or its observed time when it has none. */
  timeUnixNano: UnixNano;
  observedTimeUnixNano: UnixNano;
  severity: Severity;
  severityNumber: number;
  /** As sent; may be empty. */
  severityText: string;
  service: string;
  body: AnyValue;
  eventName: string;
  /** Empty when the record belongs to no trace. */
  traceId: string;
  spanId: string;
  attributes: KeyValue[];
  resourceAttributes: KeyValue[];
  scope: { name: string; version: string };
}

/** `GET /api/signalbox/logs?…` — newest first. */
export interface LogSearchResponse {
  logs: LogRecord[];
  /** How many records match in the whole range. */
  total: number;
  nextCursor: string | null;
}

/** `GET /api/signalbox/logs/histogram?…&stepMs` — the search's parameters. */
export interface LogHistogramResponse {
  times: number[];
  stepMs: number;
  /** Records per step, by severity; only severities that occur. */
  counts: Partial<Record<Severity, number[]>>;
  total: number;
}

/**
 * `GET /api/signalbox/logs/tail?…` — the search's parameters without time: a stream of server-sent events.
 * `event: log` with a LogRecord, `event: dropped` with `{ count }` when the client reads too slowly. A comment line every 15 s.
 */
export type LogTailEvent = { event: 'log'; data: LogRecord } | { event: 'dropped'; data: { count: number } };
