import { MetricType } from '@signalbox/records';
import { spanKindName } from '../../span-codes.ts';
import { type NamedPart, partsOf } from '../series-parts.ts';

/** Where figures of spans are kept: of services and their operations, or of calls between services. */
export type SpanTable = 'red' | 'edges';

/** Who a row of a table is about; the fourth is empty for `edges`. */
export type RowKey = readonly [string, string, string, string];

/** A metric that Tempo's metrics generator makes of spans, under the name and with the labels that it has there. */
export interface SpanMetricFamily {
  readonly family: string;
  readonly type: MetricType;
  readonly help: string;
  readonly table: SpanTable;
  /** Only calls that failed count. */
  readonly failedOnly: boolean;
  readonly labels: readonly string[];
}

const operationLabels = ['service', 'span_name', 'span_kind', 'status_code'];
const edgeLabels = ['client', 'server', 'connection_type'];

const ofOperations = { table: 'red', failedOnly: false, labels: operationLabels } as const;
const ofEdges = { table: 'edges', failedOnly: false, labels: edgeLabels } as const;

export const spanMetricFamilies: readonly SpanMetricFamily[] = [
  { ...ofOperations, family: 'traces_spanmetrics_calls_total', type: MetricType.Sum, help: 'Spans' },
  {
    ...ofOperations,
    family: 'traces_spanmetrics_latency',
    type: MetricType.Histogram,
    help: 'How long spans took, in seconds',
  },
  {
    ...ofEdges,
    family: 'traces_service_graph_request_total',
    type: MetricType.Sum,
    help: 'Calls from client to server',
  },
  {
    ...ofEdges,
    failedOnly: true,
    family: 'traces_service_graph_request_failed_total',
    type: MetricType.Sum,
    help: 'Calls from client to server that failed',
  },
  {
    ...ofEdges,
    family: 'traces_service_graph_request_server_seconds',
    type: MetricType.Histogram,
    help: 'How long calls took, as the client saw it',
  },
  {
    ...ofEdges,
    family: 'traces_service_graph_request_client_seconds',
    type: MetricType.Histogram,
    help: 'How long calls took, as the client saw it',
  },
];

export function spanMetricParts({ type, family }: SpanMetricFamily): readonly NamedPart[] {
  return partsOf(type, family);
}

/** Upper bounds of the histograms' buckets, in seconds, as Tempo's generator has them by default for spans. */
export const bucketBounds: readonly number[] = Array.from({ length: 14 }, (_, power) => 0.002 * 2 ** power);

/** Values of the labels of a family's series, in the order of their names. */
export function labelValues(table: SpanTable, [first, second, third, fourth]: RowKey): readonly string[] {
  if (table === 'edges') return [first, second, connectionTypes[third] ?? ''];
  const status = fourth === '1' ? 'STATUS_CODE_ERROR' : 'STATUS_CODE_UNSET';
  return [first, second, `SPAN_KIND_${spanKindName(Number(third))}`, status];
}

/** Between two services there is none. */
const connectionTypes: Readonly<Record<string, string>> = {
  database: 'database',
  cache: 'database',
  messaging: 'messaging_system',
  external: 'virtual_node',
};
