import type { IncomingHttpHeaders } from 'node:http';
import { prettyPrintPromql } from '@signalbox/query-language';
import { type EngineOptions, MAX_STEPS, PromqlEngine, type QueryResult } from '../../../query/promql/engine.ts';
import { PromqlError } from '../../../query/promql/promql-error.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../../query/promql-store/store-queryable.ts';
import type { QueryContext } from '../../../query/query-context.ts';
import {
  end,
  limit,
  lookback,
  object,
  oneOf,
  query,
  required,
  start,
  stats,
  step,
  text,
  time,
  timeout,
} from '../describe-route.ts';
import { encodeResult } from '../encode-result.ts';
import { invalidParameter, PrometheusError } from '../prometheus-error.ts';
import { type PrometheusParameters, readBoolean } from '../prometheus-parameters.ts';
import { getOrPost, JsonPieces, type PrometheusAnswer, type PrometheusRoute, truncated } from '../prometheus-route.ts';
import { readExpression } from '../read-matchers.ts';
import { translateAst } from '../translate-ast.ts';

export interface QueryRouteOptions {
  readonly catalog: SeriesCatalog;
  readonly engine: EngineOptions & { readonly maxSamples: number };
}

const evaluation = [required(query, 'up'), limit, timeout, lookback, stats];
const about = {
  instant: {
    summary: 'Evaluates an expression at one time.',
    parameters: [...evaluation, time],
    answers: object({ resultType: oneOf('scalar', 'string', 'vector', 'matrix'), result: { type: 'array' } }),
  },
  range: {
    summary: 'Evaluates an expression at times that are a step apart.',
    parameters: [...evaluation, required(start, '1767225600'), required(end, '1767229200'), required(step, '1m')],
    answers: object({ resultType: oneOf('matrix'), result: { type: 'array' } }),
  },
  format: { summary: 'Prints an expression over lines.', parameters: [required(query, 'up')], answers: text },
  parse: {
    summary: 'The tree of an expression.',
    parameters: [required(query, 'up')],
    answers: object({ type: text }),
  },
} as const;

/** Evaluates, prints and takes apart PromQL. */
export function promqlRoutes({ catalog, engine }: QueryRouteOptions): readonly PrometheusRoute[] {
  /** Runs a query within its own time, which is not more than that of any. */
  async function evaluate(
    parameters: PrometheusParameters,
    context: QueryContext,
    usesStartTimes: boolean,
    limit: number,
    run: (
      engine: PromqlEngine,
      query: string,
      options: { lookbackMs?: number; timeoutMs: number; signal: AbortSignal },
    ) => Promise<QueryResult>,
  ): Promise<PrometheusAnswer> {
    const startedAt = performance.now();
    const allowedMs = Math.max(1, context.deadlineMs - Date.now());
    const timeoutMs = Math.min(parameters.timeout() ?? allowedMs, allowedMs);
    const lookbackMs = parameters.duration(
      'lookback_delta',
      (problem) => new PrometheusError('bad_data', `error parsing lookback delta duration: ${problem}`),
    );
    const own = { ...context, deadlineMs: Date.now() + timeoutMs };
    const asked = { ...engine, usesStartTimes };
    const source = new StoreQueryable(own, catalog, asked);
    const hasLookback = lookbackMs !== undefined && lookbackMs > 0;
    const options = { timeoutMs, signal: context.signal, ...(hasLookback && { lookbackMs }) };
    try {
      const result = await run(new PromqlEngine(source, asked), parameters.text('query'), options);
      return answer(result, limit, parameters.text('stats'), source, performance.now() - startedAt);
    } catch (error) {
      if (error instanceof PromqlError && error.kind === 'bad_data') throw invalidParameter('query', error.message);
      throw error;
    }
  }

  const usesStartTimes = (headers: IncomingHttpHeaders): boolean =>
    readStartTimes(headers) ?? engine.usesStartTimes ?? false;

  return [
    ...getOrPost('query', about.instant, async ({ parameters, context, headers }) => {
      const limit = parameters.limit();
      const timeMs = parameters.time('time', context.nowMs);
      return await evaluate(parameters, context, usesStartTimes(headers), limit, (own, query, options) =>
        own.instant(query, timeMs, options),
      );
    }),
    ...getOrPost('query_range', about.range, async ({ parameters, context, headers }) => {
      const limit = parameters.limit();
      const range = readQueryRange(parameters);
      return await evaluate(parameters, context, usesStartTimes(headers), limit, (own, query, options) =>
        own.range(query, range, options),
      );
    }),
    ...getOrPost('format_query', about.format, async ({ parameters }) => ({
      data: prettyPrintPromql(readQuery(parameters, engine), engine.parser),
    })),
    ...getOrPost('parse_query', about.parse, async ({ parameters }) => ({
      data: translateAst(readQuery(parameters, engine)),
    })),
  ];
}

/** Whether this query looks at when counters began; undefined: as the others. */
function readStartTimes(headers: IncomingHttpHeaders): boolean | undefined {
  const text = headers['x-prometheus-use-start-timestamps'];
  if (typeof text !== 'string' || text === '') return undefined;
  const name = 'X-Prometheus-Use-Start-Timestamps';
  return readBoolean(text, (problem) => new PrometheusError('bad_data', `error parsing ${name} header: ${problem}`));
}

function readQuery(
  parameters: PrometheusParameters,
  { parser = {} }: EngineOptions,
): ReturnType<typeof readExpression> {
  return readExpression(parameters.text('query'), parser, (message) => `invalid parameter "query": ${message}`);
}

function readQueryRange(parameters: PrometheusParameters): { startMs: number; endMs: number; stepMs: number } {
  const startMs = parameters.requiredTime('start');
  const endMs = parameters.requiredTime('end');
  if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start time');
  const stepMs = parameters.requiredDuration('step');
  if (stepMs <= 0) {
    throw invalidParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if (Math.floor((endMs - startMs) / stepMs) > MAX_STEPS) {
    throw new PrometheusError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

function answer(
  { value, warnings, infos }: QueryResult,
  limit: number,
  stats: string,
  source: StoreQueryable,
  elapsedMs: number,
): PrometheusAnswer {
  let shown = value;
  const more: string[] = [];
  if (value.type === 'vector') {
    const { items, warnings: cut } = truncated(value.samples, limit);
    shown = { ...value, samples: items };
    more.push(...cut);
  } else if (value.type === 'matrix') {
    const { items, warnings: cut } = truncated(value.series, limit);
    shown = { ...value, series: items };
    more.push(...cut);
  }
  if (stats !== '' && stats !== 'true' && stats !== 'all') {
    more.push(
      `value ${JSON.stringify(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`,
    );
  }
  return {
    data: new JsonPieces(pieces(shown, stats, source, elapsedMs)),
    warnings: [...warnings, ...more],
    infos,
  };
}

function* pieces(
  value: QueryResult['value'],
  stats: string,
  { samplesRead, seriesRead, readMs }: StoreQueryable,
  elapsedMs: number,
): Iterable<string> {
  yield '{';
  yield* encodeResult(value);
  if (stats !== '') {
    const seconds = elapsedMs / 1000;
    const preparing = readMs / 1000;
    const timings = {
      evalTotalTime: seconds,
      resultSortTime: 0,
      queryPreparationTime: preparing,
      innerEvalTime: Math.max(0, seconds - preparing),
      execQueueTime: 0,
      execTotalTime: seconds,
    };
    // Samples are read once for all steps, so that these are the same here.
    const samples = {
      totalQueryableSamples: samplesRead,
      samplesRead,
      seriesTouched: seriesRead,
      peakSamples: samplesRead,
    };
    yield `,"stats":${JSON.stringify({ timings, samples })}`;
  }
  yield '}';
}
