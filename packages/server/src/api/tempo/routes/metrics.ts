import type { traceql } from '@signalbox/query-language';
import type { QueryContext } from '../../../query/query-context.ts';
import { nanosPerSecond } from '../../../query/time-range.ts';
import { queryMetrics } from '../../../query/traceql/metrics/query-metrics.ts';
import type { TimeSeries } from '../../../query/traceql/metrics/time-series.ts';
import { alignedSteps, defaultStep, type TimeSteps } from '../../../query/traceql/metrics/time-steps.ts';
import { encodeQueryInstant, encodeQueryRange, queryInstantResponse, queryRangeResponse } from '../metrics-response.ts';
import { invalid, readQuery, type TempoParameters } from '../tempo-parameters.ts';
import { get, type TempoRoute } from '../tempo-route.ts';

const defaultRange = 3_600n * nanosPerSecond;
/** Steps of one answer. */
const maxSteps = 11_000;
const maxExemplars = 1_000;
const hintedExemplars = 100;

export const metricsRoutes: readonly TempoRoute[] = [
  get('api/metrics/query_range', async ({ parameters, context }) => {
    const query = readMetricsQuery(parameters);
    const steps = rangeSteps(parameters.rangeOr(defaultRange), parameters.duration('step'));
    const exemplars = parameters.integer('exemplars', 0, maxExemplars);
    const response = queryRangeResponse(await evaluate(context, query, steps, exemplars), steps);
    return { json: () => response, protobuf: () => encodeQueryRange(response) };
  }),
  get('api/metrics/query', async ({ parameters, context }) => {
    const query = readMetricsQuery(parameters);
    const response = queryInstantResponse(
      await evaluate(context, query, instantStep(parameters.rangeOr(defaultRange)), 0),
    );
    return { json: () => response, protobuf: () => encodeQueryInstant(response) };
  }),
];

/** Grafana calls it `q`, what speaks Prometheus's `query`. */
function readMetricsQuery(parameters: TempoParameters): traceql.TraceqlQuery {
  const text = parameters.text('q') || parameters.text('query');
  return readQuery('q', text);
}

/** @param step nanoseconds; undefined: one that suits the range */
export function rangeSteps(range: { from: bigint; to: bigint }, step: bigint | undefined): TimeSteps {
  if (step !== undefined && step <= 0n) throw invalid('step', 'invalid step: must be greater than 0');
  if (range.from >= range.to) throw invalid('start', 'http parameter start must be before end');
  const steps = alignedSteps(range, step ?? defaultStep(range));
  if (steps.count > maxSteps) throw invalid('step', `the range has more than ${maxSteps} steps: choose a larger step`);
  return steps;
}

/** The whole range as one step. */
export function instantStep({ from, to }: { from: bigint; to: bigint }): TimeSteps {
  if (from >= to) throw invalid('start', 'http parameter start must be before end');
  return { start: from, step: to - from, count: 1 };
}

/** Runs a query of series. Exemplars are as many as asked for, or as its hint says: `with(exemplars=true)`. */
export async function evaluate(
  context: QueryContext,
  { expr, hints }: traceql.TraceqlQuery,
  steps: TimeSteps,
  exemplars: number,
): Promise<readonly TimeSeries[]> {
  if (expr.kind === 'pipeline') {
    throw invalid('q', 'invalid TraceQL query: this finds spans; put a metrics function behind it: {} | rate()');
  }
  const hint = hints.find(({ name }) => name === 'exemplars')?.value;
  const hinted =
    hint?.type === 'bool' ? (hint.value ? hintedExemplars : 0) : hint?.type === 'int' ? Number(hint.value) : undefined;
  return await queryMetrics(context, expr, { steps, exemplars: Math.min(hinted ?? exemplars, maxExemplars) });
}
