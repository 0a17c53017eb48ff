import type { MetricAggregation, MetricFunction } from '@signalbox/api-contract';
import { listExemplars } from '../../query/metrics/list-exemplars.ts';
import { listMetricLabels, listMetricLabelValues, listMetrics } from '../../query/metrics/list-metrics.ts';
import { metricTypes } from '../../query/metrics/metric-types.ts';
import { queryMetric } from '../../query/metrics/query-metric.ts';
import { QueryInputError } from '../../query/query-input-error.ts';
import { get, type Route } from '../route.ts';
import { longestStepMs } from './services.ts';

const functions: readonly MetricFunction[] = ['rate', 'increase', 'value', 'mean', 'p50', 'p90', 'p95', 'p99'];
const aggregations: readonly MetricAggregation[] = ['sum', 'avg', 'min', 'max', 'count'];
const maxGroupKeys = 16;

export const metricRoutes: readonly Route[] = [
  get('metrics', ({ parameters, context }) => {
    const range = parameters.range();
    const search = parameters.optional('search') ?? '';
    parameters.finish();
    return listMetrics(context, range, search);
  }),
  get('metrics/labels', ({ parameters, context }) => {
    const name = parameters.required('name');
    const range = parameters.range();
    parameters.finish();
    return listMetricLabels(context, name, range);
  }),
  get('metrics/label-values', ({ parameters, context }) => {
    const name = parameters.required('name');
    const label = parameters.required('label');
    const range = parameters.range();
    parameters.finish();
    return listMetricLabelValues(context, name, label, range);
  }),
  get('metrics/query', ({ parameters, context }) => {
    const groupBy = [...new Set(parameters.list('groupBy'))];
    if (groupBy.length > maxGroupKeys) {
      throw new QueryInputError(`At most ${maxGroupKeys} keys are grouped by`, { parameter: 'groupBy' });
    }
    const request = {
      name: parameters.required('name'),
      type: parameters.oneOf('type', metricTypes),
      function: parameters.oneOf('function', functions),
      aggregation: parameters.oneOf('aggregation', aggregations),
      groupBy,
      filters: parameters.filters(),
      range: parameters.range(),
      stepMs: parameters.integer('stepMs', 1_000, longestStepMs),
      limit: parameters.integer('limit', 1, 500) ?? 50,
    };
    parameters.finish();
    return queryMetric(context, request);
  }),
  get('metrics/exemplars', ({ parameters, context }) => {
    const request = {
      name: parameters.required('name'),
      filters: parameters.filters(),
      range: parameters.range(),
      limit: parameters.integer('limit', 1, 500) ?? 500,
    };
    parameters.finish();
    return listExemplars(context, request);
  }),
];
