import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { Exposition } from './exposition.ts';

const common: Pick<DataPoint<number>, 'attributes' | 'startTime' | 'endTime'> = {
  attributes: {},
  startTime: [0, 0],
  endTime: [1, 0],
};
const descriptor = (name: string) => ({ name, unit: '', description: '', valueType: ValueType.DOUBLE });

function linesOf(metrics: MetricData[], attributes = {}): { lines: string[]; conflicts: string[] } {
  const collected: ResourceMetrics = {
    resource: resourceFromAttributes(attributes),
    scopeMetrics: [{ scope: { name: 'app' }, metrics }],
  };
  const exposition = new Exposition({ openMetrics: false, utf8: false }, 'UnderscoreEscapingWithSuffixes', () => []);
  exposition.add(collected);
  return { lines: exposition.text().trim().split('\n'), conflicts: exposition.conflicts };
}

const gauge = (name: string, attributes: Record<string, string | string[]> = {}): MetricData => ({
  descriptor: descriptor(name),
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.GAUGE,
  dataPoints: [{ ...common, attributes, value: 1 }],
});

test('an exponential histogram becomes buckets that end where its own do', () => {
  const { lines } = linesOf([
    {
      descriptor: descriptor('size'),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [
        {
          ...common,
          value: {
            count: 7,
            sum: 20,
            // Scale 0 has the base 2: index 0 is (1, 2], index 2 is (4, 8], and as negatives [-2, -1) and [-8, -4).
            scale: 0,
            zeroCount: 2,
            positive: { offset: 0, bucketCounts: [1, 0, 2] },
            negative: { offset: 0, bucketCounts: [1, 0, 1] },
          },
        },
      ],
    },
  ]);
  expect(lines).toEqual([
    '# TYPE size histogram',
    'size_bucket{otel_scope_name="app",le="-4"} 1',
    'size_bucket{otel_scope_name="app",le="-1"} 2',
    'size_bucket{otel_scope_name="app",le="0"} 4',
    'size_bucket{otel_scope_name="app",le="2"} 5',
    'size_bucket{otel_scope_name="app",le="8"} 7',
    'size_bucket{otel_scope_name="app",le="+Inf"} 7',
    'size_sum{otel_scope_name="app"} 20',
    'size_count{otel_scope_name="app"} 7',
  ]);
});

test('values are escaped, and attributes that share a label are joined in the order of their names', () => {
  const { lines } = linesOf([gauge('g', { 'a.b': 'line\nbreak', a_b: 'x\\"y', list: ['p', 'q'] })]);
  expect(lines.at(-1)).toBe('g{otel_scope_name="app",a_b="line\\nbreak;x\\\\\\"y",list="[\\"p\\",\\"q\\"]"} 1');
});

test('of two kinds under one name the first stays, and the name is told', () => {
  const sum: MetricData = {
    ...gauge('jobs_total'),
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    dataPoints: [{ ...common, value: 2 }],
  };
  const { lines, conflicts } = linesOf([gauge('jobs_total'), sum]);
  expect(lines).toEqual(['# TYPE jobs_total gauge', 'jobs_total{otel_scope_name="app"} 1']);
  expect(conflicts).toEqual(['jobs_total']);
});
