import type {
  LogSearchParameters,
  MetricAggregation,
  MetricFunction,
  MetricType,
  Severity,
  SpanKind,
  StatusCode,
} from '@signalbox/api-contract';
import { type RefreshInterval, refreshIntervals } from './time-range.ts';

/** What a page's address carries after `?`: each name once, or several times. Everything is text; nothing is evaluated. */
export type RawSearch = Record<string, string | string[]>;

/** A name that occurs once gives a string, one that repeats a list. */
export function parseSearch(text: string): RawSearch {
  const result: RawSearch = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(result, name) ? result[name] : undefined;
    const next = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
    // A plain assignment of `__proto__` would change the object's prototype.
    Object.defineProperty(result, name, { value: next, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** The other way; what is undefined, empty or an empty list is left out, so that an address says only what was chosen. */
export function printSearch(search: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (Array.isArray(value)) for (const item of value) parameters.append(name, String(item));
    else if (value !== undefined && value !== null && value !== '') parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

type Search = Readonly<Record<string, unknown>>;

const maxLength = 4096;

function text(search: Search, name: string): string | undefined {
  const value = search[name];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' && first.length <= maxLength ? first : undefined;
}

function list(search: Search, name: string): string[] | undefined {
  const value = search[name];
  const values = (Array.isArray(value) ? value : [value]).filter(
    (item): item is string => typeof item === 'string' && item !== '' && item.length <= maxLength,
  );
  return values.length ? values.slice(0, 50) : undefined;
}

function oneOf<T extends string>(search: Search, name: string, allowed: readonly T[]): T | undefined {
  const value = text(search, name);
  return allowed.find((item) => item === value);
}

/** Every page's. Undefined: the default. */
export interface TimeSearch {
  from?: string | undefined;
  to?: string | undefined;
  refresh?: RefreshInterval | undefined;
}

export function parseTimeSearch(search: Search): TimeSearch {
  return { from: text(search, 'from'), to: text(search, 'to'), refresh: oneOf(search, 'refresh', refreshIntervals) };
}

const serviceSortKeys = ['name', 'rate', 'errors', 'p50', 'p95'] as const;
export type ServiceSortKey = (typeof serviceSortKeys)[number];
const directions = ['asc', 'desc'] as const;

export interface ServicesSearch {
  tab?: 'map' | undefined;
  search?: string | undefined;
  sort?: ServiceSortKey | undefined;
  direction?: 'asc' | 'desc' | undefined;
}

export function parseServicesSearch(search: Search): ServicesSearch {
  return {
    tab: oneOf(search, 'tab', ['map']),
    search: text(search, 'search'),
    sort: oneOf(search, 'sort', serviceSortKeys),
    direction: oneOf(search, 'direction', directions),
  };
}

export interface ServiceSearch {
  operation?: string | undefined;
  kind?: SpanKind | undefined;
  search?: string | undefined;
  sort?: ServiceSortKey | undefined;
  direction?: 'asc' | 'desc' | undefined;
}

export const spanKinds: readonly SpanKind[] = ['SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER', 'INTERNAL', 'UNSPECIFIED'];
const statusCodes: readonly StatusCode[] = ['UNSET', 'OK', 'ERROR'];

export function parseServiceSearch(search: Search): ServiceSearch {
  return {
    operation: text(search, 'operation'),
    kind: oneOf(search, 'kind', spanKinds),
    search: text(search, 'search'),
    sort: oneOf(search, 'sort', serviceSortKeys),
    direction: oneOf(search, 'direction', directions),
  };
}

export interface TracesSearch {
  /** TraceQL; the fields below are then not looked at. */
  q?: string | undefined;
  service?: string | undefined;
  operation?: string | undefined;
  filter?: string[] | undefined;
  min?: string | undefined;
  max?: string | undefined;
  status?: StatusCode | undefined;
  kind?: SpanKind | undefined;
  rootOnly?: 'true' | undefined;
  limit?: '50' | '200' | '1000' | undefined;
}

export function parseTracesSearch(search: Search): TracesSearch {
  return {
    q: text(search, 'q'),
    service: text(search, 'service'),
    operation: text(search, 'operation'),
    filter: list(search, 'filter'),
    min: text(search, 'min'),
    max: text(search, 'max'),
    status: oneOf(search, 'status', statusCodes),
    kind: oneOf(search, 'kind', spanKinds),
    rootOnly: oneOf(search, 'rootOnly', ['true']),
    limit: oneOf(search, 'limit', ['200', '1000']),
  };
}

export const spanTabs = ['attributes', 'events', 'links', 'process', 'logs'] as const;
export type SpanTab = (typeof spanTabs)[number];

export interface TraceSearch {
  span?: string | undefined;
  tab?: SpanTab | undefined;
  /** Logs of the whole trace instead of the waterfall. */
  view?: 'logs' | undefined;
  /** Search within the trace. */
  search?: string | undefined;
  /** The part of the trace shown, milliseconds from its start: `12.5-80`. */
  zoom?: string | undefined;
}

export function parseTraceSearch(search: Search): TraceSearch {
  const span = text(search, 'span');
  return {
    span: span && /^[0-9a-f]{16}$/.test(span) ? span : undefined,
    tab: oneOf(search, 'tab', spanTabs),
    view: oneOf(search, 'view', ['logs']),
    search: text(search, 'search'),
    zoom: text(search, 'zoom'),
  };
}

/** Milliseconds from the trace's start; null when it makes no sense. */
export function parseZoom(zoom: string | undefined): { startMs: number; endMs: number } | null {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(zoom ?? '');
  if (!match) return null;
  const startMs = Number(match[1]);
  const endMs = Number(match[2]);
  return startMs < endMs ? { startMs, endMs } : null;
}

export function printZoom(startMs: number, endMs: number): string {
  const digits = Math.max(0, Math.min(6, 4 - Math.floor(Math.log10(Math.max(endMs - startMs, 1e-6)))));
  return `${startMs.toFixed(digits)}-${endMs.toFixed(digits)}`;
}

export const severities: readonly Severity[] = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'UNSPECIFIED'];

export interface LogsSearch {
  q?: string | undefined;
  service?: string | undefined;
  severity?: Severity[] | undefined;
  filter?: string[] | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
  live?: 'true' | undefined;
  /** The id of the opened record. */
  open?: string | undefined;
}

export function parseLogsSearch(search: Search): LogsSearch {
  const traceId = text(search, 'traceId')?.toLowerCase();
  const spanId = text(search, 'spanId')?.toLowerCase();
  const severity = list(search, 'severity')?.filter((item): item is Severity => severities.some((one) => one === item));
  return {
    q: text(search, 'q'),
    service: text(search, 'service'),
    severity: severity?.length ? severity : undefined,
    filter: list(search, 'filter'),
    traceId: traceId && isTraceId(traceId) ? traceId : undefined,
    spanId: spanId && /^[0-9a-f]{16}$/.test(spanId) ? spanId : undefined,
    live: oneOf(search, 'live', ['true']),
    open: text(search, 'open'),
  };
}

/** The API's parameters of a log search, without its time. */
export function logParameters(
  search: LogsSearch,
): Readonly<
  Record<keyof Omit<LogSearchParameters, 'start' | 'end' | 'limit' | 'cursor'>, string | string[] | undefined>
> {
  const { q, service, severity, filter, traceId, spanId } = search;
  return { q, service, severity, filter, traceId, spanId };
}

const metricFunctions: readonly MetricFunction[] = ['rate', 'increase', 'value', 'mean', 'p50', 'p90', 'p95', 'p99'];
const metricAggregations: readonly MetricAggregation[] = ['sum', 'avg', 'min', 'max', 'count'];
const metricTypes: readonly MetricType[] = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'];

export interface MetricsSearch {
  search?: string | undefined;
  name?: string | undefined;
  type?: MetricType | undefined;
  function?: MetricFunction | undefined;
  aggregation?: MetricAggregation | undefined;
  by?: string[] | undefined;
  filter?: string[] | undefined;
}

export function parseMetricsSearch(search: Search): MetricsSearch {
  return {
    search: text(search, 'search'),
    name: text(search, 'name'),
    type: oneOf(search, 'type', metricTypes),
    function: oneOf(search, 'function', metricFunctions),
    aggregation: oneOf(search, 'aggregation', metricAggregations),
    by: list(search, 'by'),
    filter: list(search, 'filter'),
  };
}

function isTraceId(candidate: string): boolean {
  return /^[0-9a-f]{32}$/.test(candidate) && !/^0+$/.test(candidate);
}

/** The trace id in pasted text: 32 hex digits standing alone, any case, or the second part of a `traceparent`. */
export function findTraceId(pasted: string): string | null {
  const match = /(?:^|[^0-9a-z])([0-9a-f]{32})(?:$|[^0-9a-z])/.exec(pasted.toLowerCase());
  return match?.[1] && isTraceId(match[1]) ? match[1] : null;
}
