import { type LabelMatcher, ParseError, type ParserOptions, parsePromqlSelector } from '@signalbox/query-language';
import { DEFAULT_LOOKBACK_MS } from '../../../query/promql/engine.ts';
import type { RawSeries } from '../../../query/promql/queryable.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../../query/promql-store/store-queryable.ts';
import { Turns } from '../../../query/turns.ts';
import { match } from '../describe-route.ts';
import { federationProtobuf } from '../federation-protobuf.ts';
import { federationText } from '../federation-text.ts';
import { negotiateExposition } from '../negotiate-exposition.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { get, type PrometheusRoute, type StreamAnswer, strict } from '../prometheus-route.ts';

export interface FederateOptions {
  readonly catalog: SeriesCatalog;
  readonly engine: {
    readonly maxSamples: number;
    readonly lookbackMs?: number;
    readonly parser?: ParserOptions;
  };
}

/**
 * The newest samples of series, as a Prometheus above this one scrapes them (https://prometheus.io/docs/prometheus/latest/federation/), in
 * protobuf for those who want it. The text format has no place for histograms with exponential buckets: they are left out there, as
 * Prometheus does.
 */
export function federateRoute({ catalog, engine }: FederateOptions): PrometheusRoute {
  const { maxSamples, lookbackMs = DEFAULT_LOOKBACK_MS, parser = {} } = engine;
  const about = {
    summary: 'The newest samples of series, for a Prometheus to scrape.',
    parameters: [match],
    answers: 'text/plain',
  };
  return strict(
    get('federate', about, async ({ parameters, context, headers }): Promise<StreamAnswer> => {
      const selectors = parameters.list('match[]').map((selector) => readSelector(selector, parser));
      const source = new StoreQueryable(context, catalog, { maxSamples });
      const hints = { stepMs: 0, rangeMs: lookbackMs, function: '', histogramStats: false };
      const range = { startMs: context.nowMs - lookbackMs, endMs: context.nowMs };
      const found: (readonly RawSeries[])[] = [];
      for (const matchers of selectors) found.push(await source.select({ matchers, ...range, hints }));
      const turns = new Turns(context);
      const series = await distinct(found, turns);
      const { format, utf8Names } = negotiateExposition(headers.accept ?? '');
      const escaping = utf8Names ? 'allow-utf-8' : 'underscores';
      const contentType =
        format === 'protobuf'
          ? `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=${escaping}`
          : `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`;
      return {
        headers: { 'content-type': contentType },
        stream:
          format === 'protobuf'
            ? federationProtobuf(series, utf8Names, turns)
            : federationText(series, utf8Names, turns),
        isPacked: false,
      };
    }),
  );
}

/** What selectors found, each series once. */
async function distinct(found: readonly (readonly RawSeries[])[], turns: Turns): Promise<readonly RawSeries[]> {
  const [first = [], ...others] = found;
  if (others.length === 0) return first;
  const series = new Map<string, RawSeries>();
  for (const one of found.flat()) {
    series.set(one.labels.key, one);
    if (turns.isOver) await turns.next();
  }
  return [...series.values()];
}

function readSelector(selector: string, parser: ParserOptions): readonly LabelMatcher[] {
  try {
    return parsePromqlSelector(selector, parser);
  } catch (error) {
    if (error instanceof ParseError) throw new PrometheusError('bad_data', error.message, { cause: error });
    throw error;
  }
}
