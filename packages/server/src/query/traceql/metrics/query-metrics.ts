import { NIL, printTraceqlField, type Static, toFloat, type traceql } from '@signalbox/query-language';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type { QueryContext } from '../../query-context.ts';
import { findKeyPlaces } from '../key-places.ts';
import { searchTraceql } from '../search-traceql.ts';
import type { SpanFields } from '../span-fields.ts';
import { conditionsOf } from '../trace-conditions.ts';
import type { TraceSpan } from '../trace-span.ts';
import { compareSpans } from './compare-spans.ts';
import { applyArithmetic, applyStages, combineSeries } from './metrics-stages.ts';
import { readGroups } from './read-groups.ts';
import { log2Bucket, SeriesCollector } from './series-collector.ts';
import type { TimeSeries } from './time-series.ts';
import { endOf, stepOf, type TimeSteps } from './time-steps.ts';

export interface MetricsRequest {
  readonly steps: TimeSteps;
  /** Most exemplars of one metrics function. */
  readonly exemplars: number;
}

/** Series of one function. */
const maxSeries = 10_000;

/** The series of an expression, in no particular order. */
export async function queryMetrics(
  context: QueryContext,
  expr: traceql.MetricsExpr,
  request: MetricsRequest,
): Promise<readonly TimeSeries[]> {
  const series =
    expr.kind === 'metricsQuery' ? await seriesOf(context, expr, request) : await arithmetic(context, expr, request);
  return applyStages(series, expr.stages);
}

async function arithmetic(
  context: QueryContext,
  { operator, left, right }: traceql.MetricsOperation,
  request: MetricsRequest,
): Promise<readonly TimeSeries[]> {
  if (left.kind === 'literal' && right.kind === 'literal') throw new Error('The parser folds numbers');
  if (left.kind === 'literal' || right.kind === 'literal') {
    const [number, expr] = left.kind === 'literal' ? [left, right] : [right as traceql.Literal, left];
    const constant = toFloat(number.value);
    const series = await queryMetrics(context, expr as traceql.MetricsExpr, request);
    return series.map(({ values, ...rest }) => ({
      ...rest,
      values: values.map((value) =>
        number === left ? applyArithmetic(operator, constant, value) : applyArithmetic(operator, value, constant),
      ),
    }));
  }
  const lefts = await queryMetrics(context, left, request);
  return combineSeries(operator, lefts, await queryMetrics(context, right, request));
}

async function seriesOf(
  context: QueryContext,
  { pipeline, aggregate }: traceql.MetricsQuery,
  request: MetricsRequest,
): Promise<readonly TimeSeries[]> {
  const { steps } = request;
  const range = { from: steps.start, to: endOf(steps) + 1n };
  const places = await findKeyPlaces(context, fieldExprsOf(pipeline, aggregate), range);
  if (aggregate.kind === 'compare')
    return await compareSpans(context, pipeline, aggregate, { ...request, range, places });
  const collector = new SeriesCollector({
    function: aggregate.function,
    by: aggregate.by.map(printTraceqlField),
    steps: steps.count,
    stepSeconds: Number(steps.step) / 1e9,
    quantiles: aggregate.quantiles,
  });
  const isRead = await readGroups(context, { pipeline, aggregate, ...request, range, places }, collector);
  if (!isRead) await observeSpans(context, pipeline, aggregate, request, collector);
  if (collector.size > maxSeries) {
    throw new SignalboxError('too_large', `The query makes more than ${maxSeries} series`, {
      hint: 'Group by attributes with fewer values.',
    });
  }
  return collector.series().map((series) => withExemplarValues(series, steps));
}

function fieldExprsOf(pipeline: traceql.Pipeline, aggregate: traceql.MetricsQuery['aggregate']): traceql.FieldExpr[] {
  const own: readonly traceql.FieldExpr[] =
    aggregate.kind === 'compare'
      ? [aggregate.selection.condition]
      : [...aggregate.by, ...(aggregate.field === undefined ? [] : [aggregate.field])];
  return [...conditionsOf(pipeline), ...own];
}

/** What only the pipeline itself can tell: every span that it finds is looked at. */
async function observeSpans(
  context: QueryContext,
  pipeline: traceql.Pipeline,
  aggregate: traceql.MetricsAggregate,
  { steps, exemplars }: MetricsRequest,
  collector: SeriesCollector,
): Promise<void> {
  let readers: SpanReaders | undefined;
  let left = exemplars;
  await searchTraceql(context, {
    pipeline,
    range: { from: steps.start, to: endOf(steps) },
    limit: Number.POSITIVE_INFINITY,
    prepare: (fields) => {
      readers = spanReaders(aggregate, fields);
    },
    onTrace: ({ spansets }) => {
      for (const span of spansets.flatMap(({ spans }) => spans)) {
        const step = stepOf(steps, span.start);
        if (step < 0 || readers === undefined) continue;
        const group = readers.by.map((read) => read(span));
        const value = readers.value(span);
        const bucket = readers.hasBuckets ? bucketOf(value) : undefined;
        if (readers.hasBuckets && bucket === undefined) continue;
        const number = value.type === 'nil' ? undefined : seconds(value);
        collector.observe({ step, group, count: 1, value: number, valueCount: 1, bucket });
        if (left-- > 0) collector.observeExemplar(group, exemplarOf(span, number ?? Number.NaN));
      }
    },
  });
}

interface SpanReaders {
  readonly by: readonly ((span: TraceSpan) => Static)[];
  readonly value: (span: TraceSpan) => Static;
  readonly hasBuckets: boolean;
}

function spanReaders(aggregate: traceql.MetricsAggregate, fields: SpanFields): SpanReaders {
  const reader = (field: traceql.Field): ((span: TraceSpan) => Static) => {
    const values = fields.reader(field);
    return (span) => values(span)[0] ?? NIL;
  };
  return {
    by: aggregate.by.map(reader),
    value: aggregate.field === undefined ? () => NIL : numeric(reader(aggregate.field)),
    hasBuckets: aggregate.function === 'histogram_over_time' || aggregate.function === 'quantile_over_time',
  };
}

function numeric(read: (span: TraceSpan) => Static): (span: TraceSpan) => Static {
  return (span) => {
    const value = read(span);
    return Number.isNaN(toFloat(value)) ? NIL : value;
  };
}

/** Durations count in seconds. */
function seconds(value: Static): number {
  return value.type === 'duration' ? toFloat(value) / 1e9 : toFloat(value);
}

/** Of whole numbers and durations; floats have no buckets. */
function bucketOf(value: Static): number | undefined {
  if (value.type !== 'int' && value.type !== 'duration') return undefined;
  const bucket = log2Bucket(toFloat(value));
  return bucket === undefined || value.type === 'int' ? bucket : bucket / 1e9;
}

function exemplarOf(span: TraceSpan, value: number): TimeSeries['exemplars'][number] {
  return {
    timeMs: Number(span.start / 1_000_000n),
    value,
    labels: [
      ['trace:id', { type: 'string', value: span.trace.traceId }],
      ['span:id', { type: 'string', value: span.id }],
    ],
  };
}

/** An exemplar of a count has the value of its series at that step. */
function withExemplarValues(series: TimeSeries, steps: TimeSteps): TimeSeries {
  const exemplars = series.exemplars.map((exemplar) => {
    if (!Number.isNaN(exemplar.value)) return exemplar;
    const step = stepOf(steps, BigInt(Math.round(exemplar.timeMs)) * 1_000_000n + 1n);
    return { ...exemplar, value: series.values[Math.max(0, step)] ?? 0 };
  });
  return { ...series, exemplars };
}
