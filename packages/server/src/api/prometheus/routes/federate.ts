import { encodeFamily } from '@signalbox/protocols';
import { type LabelMatcher, ParseError, type ParserOptions, parsePromqlSelector } from '@signalbox/query-language';
import { DEFAULT_LOOKBACK_MS } from '../../../query/promql/engine.ts';
import type { RawSeries } from '../../../query/promql/queryable.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../../query/promql-store/store-queryable.ts';
import { match } from '../describe-route.ts';
import { federatedFamilies } from '../federated-families.ts';
import { federationText } from '../federation-text.ts';
import { negotiateExposition } from '../negotiate-exposition.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { type BytesAnswer, get, type PrometheusRoute, type TextAnswer } from '../prometheus-route.ts';

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
  return get('federate', about, async ({ parameters, context, headers }): Promise<TextAnswer | BytesAnswer> => {
    const selectors = parameters.list('match[]').map((selector) => readSelector(selector, parser));
    const source = new StoreQueryable(context, catalog, { maxSamples });
    const found = new Map<string, RawSeries>();
    const hints = { stepMs: 0, rangeMs: lookbackMs, function: '', histogramStats: false };
    for (const matchers of selectors) {
      const range = { startMs: context.nowMs - lookbackMs, endMs: context.nowMs };
      for (const series of await source.select({ matchers, ...range, hints })) {
        found.set(series.labels.key, series);
      }
    }
    const { format, utf8Names } = negotiateExposition(headers.accept ?? '');
    const escaping = utf8Names ? 'allow-utf-8' : 'underscores';
    if (format === 'protobuf') {
      const families = [...federatedFamilies([...found.values()], true)];
      return {
        headers: {
          'content-type': `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=${escaping}`,
        },
        bytes: Buffer.concat(families.map((family) => encodeFamily(family, utf8Names))),
      };
    }
    return {
      headers: { 'content-type': `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}` },
      pieces: federationText([...found.values()], utf8Names),
    };
  });
}

function readSelector(selector: string, parser: ParserOptions): readonly LabelMatcher[] {
  try {
    return parsePromqlSelector(selector, parser);
  } catch (error) {
    if (error instanceof ParseError) throw new PrometheusError('bad_data', error.message, { cause: error });
    throw error;
  }
}
