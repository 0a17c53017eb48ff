import type { FilterComparison, MetricAggregation, MetricFunction, MetricType } from '@signalbox/api-contract';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { type QueryContext, select } from '../query-context.ts';
import { QueryInputError } from '../query-input-error.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { nanosPerMilli, type Steps, type TimeRange } from '../time-range.ts';
import { metricTypeName, metricTypeNumber } from './metric-types.ts';
import { seriesCondition } from './series-condition.ts';

/** A metric query as the request has it. */
export interface MetricQueryRequest {
  readonly name: string;
  readonly type?: MetricType | undefined;
  readonly function?: MetricFunction | undefined;
  readonly aggregation?: MetricAggregation | undefined;
  readonly groupBy: readonly string[];
  readonly filters: readonly FilterComparison[];
  readonly range: TimeRange;
  readonly stepMs?: number | undefined;
  readonly limit: number;
}

/** With all that the metric itself decides. */
export interface MetricPlan {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly function: MetricFunction;
  readonly aggregation: MetricAggregation;
  readonly groupBy: readonly string[];
  readonly filters: readonly FilterComparison[];
  readonly steps: Steps;
  readonly limit: number;
  /** Where carried values end, in ms: the range's end, or now. */
  readonly horizonMs: number;
}

/** How long a value stands for what comes after it, and how far back the point before the range is looked for, in ms. */
export const lookbackMs = 300_000;

/** The time that points are read of: the steps, with the lookback on both sides. */
export function pointRange({ steps }: Pick<MetricPlan, 'steps'>): TimeRange {
  const margin = Math.max(lookbackMs, steps.stepMs);
  return {
    from: BigInt(Math.max(0, steps.firstMs - margin)) * nanosPerMilli,
    to: BigInt(steps.firstMs + steps.count * steps.stepMs + margin) * nanosPerMilli,
  };
}

/** Looks up what the metric is. `not_found` when nobody sent it in the range. */
export async function planMetricQuery(
  context: QueryContext,
  request: MetricQueryRequest,
  steps: Steps,
): Promise<MetricPlan> {
  const [described] = await select<[number, string, number]>(context, planMetricType(request));
  if (described === undefined) {
    throw new SignalboxError(
      'not_found',
      `There is no metric of that name${request.type ? ' and type' : ''} in the range`,
    );
  }
  const [typeNumber, unit, monotonic] = described;
  const type = metricTypeName(typeNumber);
  const chosen = request.function ?? defaultFunction(type, monotonic === 1);
  if (!functionsOf(type, monotonic === 1).includes(chosen)) {
    throw new QueryInputError(`${chosen} means nothing for this metric, a ${type.replace('_', ' ')}`, {
      parameter: 'function',
      hint: `There are ${functionsOf(type, monotonic === 1).join(', ')}.`,
    });
  }
  return {
    name: request.name,
    type,
    unit,
    function: chosen,
    aggregation: request.aggregation ?? (type === 'gauge' ? 'avg' : 'sum'),
    groupBy: request.groupBy,
    filters: request.filters,
    steps,
    limit: request.limit,
    horizonMs: Math.min(Number(request.range.to / nanosPerMilli), Math.max(context.nowMs, steps.firstMs + 1)),
  };
}

/** Type, unit and whether it is monotonic; of several types the one sent last. */
export function planMetricType(request: MetricQueryRequest): Statement {
  const parameters = new SqlParameters();
  const type = request.type === undefined ? undefined : metricTypeNumber(request.type);
  return parameters.statement(
    `SELECT type, argMax(unit, time), max(monotonic)
FROM series
WHERE ${seriesCondition({ name: request.name, type, filters: [], range: request.range }, parameters)}
GROUP BY type
ORDER BY max(time) DESC, type
LIMIT 1`,
  );
}

const quantiles: readonly MetricFunction[] = ['p50', 'p90', 'p95', 'p99'];

function functionsOf(type: MetricType, monotonic: boolean): readonly MetricFunction[] {
  switch (type) {
    case 'gauge':
      return ['value'];
    case 'sum':
      return monotonic ? ['rate', 'increase', 'value'] : ['value'];
    case 'histogram':
    case 'exponential_histogram':
      return ['rate', 'increase', 'mean', ...quantiles];
    case 'summary':
      return ['rate', 'increase', 'mean'];
  }
}

function defaultFunction(type: MetricType, monotonic: boolean): MetricFunction {
  if (type === 'sum') return monotonic ? 'rate' : 'value';
  if (type === 'gauge') return 'value';
  return type === 'summary' ? 'mean' : 'p95';
}
