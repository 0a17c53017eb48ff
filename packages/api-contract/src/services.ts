import type { TimeRangeParameters } from './time.ts';

/** Rate, errors and duration of a group of spans. Counted from every span received, before any sampling by Signalbox; a span that a head sampler let through counts for all it stands for. */
export interface RedFigures {
  /** Requests in the range, estimated where head sampling was on. */
  count: number;
  /** Of those, how many ended with status Error. */
  errorCount: number;
  /** Requests per second over the range. */
  rate: number;
  /** errorCount / count, 0…1; 0 when there were none. */
  errorRatio: number;
  /** Milliseconds; null when there were no requests. */
  durationMs: { p50: number; p95: number; p99: number; mean: number; max: number } | null;
}

/** RED over time, one entry per step; the arrays are as long as `times`. A step without requests has count 0 and null durations. */
export interface RedSeries {
  /** Start of each step, Unix milliseconds. */
  times: number[];
  stepMs: number;
  /** Requests per second. */
  rate: number[];
  errorRatio: number[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

export interface ServiceSummary {
  /** `service.name`; spans without one are under `unknown_service`. */
  name: string;
  red: RedFigures;
  sparkline: RedSeries;
}

/**
 * `GET /api/signalbox/services?start&end` — sorted by name. What counts as a request: SERVER and CONSUMER spans, and root spans of any kind.
 * A service that sent only logs or metrics is listed too, with a count of 0.
 */
export interface ServicesResponse {
  services: ServiceSummary[];
}

/** `GET /api/signalbox/services/{service}/operations?start&end` — every span name of the service, busiest first. */
export interface OperationsResponse {
  operations: { name: string; kind: SpanKind; red: RedFigures; sparkline: RedSeries }[];
}

/** `GET /api/signalbox/services/{service}/red?operation&kind&start&end&stepMs` — with no operation: the service's requests. */
export interface RedResponse {
  red: RedFigures;
  series: RedSeries;
}

export interface RedParameters extends TimeRangeParameters {
  operation?: string;
  kind?: SpanKind;
  stepMs?: number;
}

export type SpanKind = 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';

export type NodeType = 'service' | 'database' | 'cache' | 'messaging' | 'external';

/** `GET /api/signalbox/service-map?start&end` */
export interface ServiceMapResponse {
  nodes: {
    /** `${type}:${name}`, unique in the answer. */
    id: string;
    name: string;
    /** `service` sent spans itself; the others are known only from their callers' spans. */
    type: NodeType;
    /** Null for nodes that send no spans. */
    red: RedFigures | null;
  }[];
  edges: {
    source: string;
    target: string;
    /** As the caller saw it. */
    red: RedFigures;
  }[];
}
