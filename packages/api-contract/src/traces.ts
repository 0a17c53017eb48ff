import type { KeyValue } from './attributes.ts';
import type { FilterText } from './filter.ts';
import type { SpanKind } from './services.ts';
import type { TimeRangeParameters, UnixNano } from './time.ts';

export type StatusCode = 'UNSET' | 'OK' | 'ERROR';

export interface TraceSearchParameters extends TimeRangeParameters {
  service?: string;
  operation?: string;
  /** Repeatable; all must hold on the same span. */
  filter?: FilterText[];
  /** `250ms`, `1.5s`, `2m`: of the matching span. */
  minDuration?: string;
  maxDuration?: string;
  status?: StatusCode;
  kind?: SpanKind;
  /** Only traces whose root matches nothing else than being a root: `true` restricts the match to root spans. */
  rootOnly?: 'true';
  /** TraceQL, in place of everything above: `{ status = error } >> { db.system.name = "postgresql" }`. */
  q?: string;
  /** 1…1000, default 50. */
  limit?: number;
}

export interface TraceSummary {
  traceId: string;
  /** Of the root span, or of the earliest span that is there when the root is missing (`rootMissing`). */
  rootService: string;
  rootName: string;
  rootMissing: boolean;
  startTimeUnixNano: UnixNano;
  /** Last end minus first start over all of the trace's spans, nanoseconds. */
  durationNano: number;
  spanCount: number;
  errorCount: number;
  /** Services in the trace with their number of spans, most first. */
  services: { name: string; spanCount: number }[];
  /** How many spans matched the search, and the first of them. */
  matchedSpans: number;
  matched: { spanId: string; name: string; service: string; durationNano: number; status: StatusCode };
}

/** `GET /api/signalbox/traces?…` — newest first by the time of the matched span, ties by trace id: the same answer every time. */
export interface TraceSearchResponse {
  traces: TraceSummary[];
  /** How many traces match in the whole range: "50 of 1,204". */
  total: number;
  /** True when `total` is a lower bound because counting reached its limit. */
  totalIsLowerBound: boolean;
}

export interface SpanEvent {
  timeUnixNano: UnixNano;
  name: string;
  attributes: KeyValue[];
  droppedAttributesCount: number;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  traceState: string;
  attributes: KeyValue[];
}

export interface Span {
  traceId: string;
  spanId: string;
  /** Empty for a root span. */
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: SpanKind;
  service: string;
  startTimeUnixNano: UnixNano;
  endTimeUnixNano: UnixNano;
  durationNano: number;
  status: { code: StatusCode; message: string };
  attributes: KeyValue[];
  events: SpanEvent[];
  links: SpanLink[];
  droppedAttributesCount: number;
  droppedEventsCount: number;
  droppedLinksCount: number;
  /** Index into the answer's `resources` and `scopes`. */
  resource: number;
  scope: number;
}

/** `GET /api/signalbox/traces/{traceId}` — 32 hex digits, any case; 404 when there is no such trace. Spans by start time, then span id. A span received twice (a retried request) is given once. */
export interface TraceResponse {
  traceId: string;
  startTimeUnixNano: UnixNano;
  durationNano: number;
  spans: Span[];
  resources: { attributes: KeyValue[] }[];
  scopes: { name: string; version: string }[];
  /** How many log records carry this trace id. */
  logCount: number;
  /** True when the trace has more spans than the server gives (20,000). */
  truncated: boolean;
}

/** `GET /api/signalbox/traces/scatter?…` — the search's parameters; one point per matching trace, at most 2,000, evenly picked when there are more. */
export interface TraceScatterResponse {
  points: { traceId: string; timeMs: number; durationMs: number; error: boolean; name: string; service: string }[];
  total: number;
}
