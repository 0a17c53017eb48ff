import type { ParserOptions } from '@signalbox/query-language';
import { type Exemplar, listExemplars } from '../../../query/promql-store/list-exemplars.ts';
import { listMetadata } from '../../../query/promql-store/list-metadata.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { floatText, labelsText, timeText } from '../encode-json.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { get, getOrPost, JsonPieces, type PrometheusRoute } from '../prometheus-route.ts';
import { readExpression, selectorsOf } from '../read-matchers.ts';

/** What is known of metrics, and their exemplars. */
export function metadataRoutes(catalog: SeriesCatalog, parser: ParserOptions): readonly PrometheusRoute[] {
  return [
    get('metadata', async ({ parameters, context }) => {
      const limit = parameters.count('limit');
      const perMetric = parameters.count('limit_per_metric');
      const metric = parameters.text('metric');
      const families = [...(await listMetadata(context, catalog))]
        .filter(([name]) => metric === '' || name === metric)
        .slice(0, limit < 0 ? undefined : limit)
        .map(([name, all]) => [name, perMetric > 0 ? all.slice(0, perMetric) : all] as const);
      return { data: Object.fromEntries(families) };
    }),
    ...getOrPost('query_exemplars', async ({ parameters, context }) => {
      const range = parameters.range();
      if (range.toMs < range.fromMs) {
        throw new PrometheusError('bad_data', 'end timestamp must not be before start timestamp');
      }
      const expression = readExpression(parameters.text('query'), parser, (message) => message);
      const found = await listExemplars(context, catalog, selectorsOf(expression), range);
      const pieces = found.map(({ labels, exemplars }, index) => {
        const series = `{"seriesLabels":${labelsText(labels.entries())},"exemplars":[${exemplars.map(exemplarText).join()}]}`;
        return index === 0 ? series : `,${series}`;
      });
      return { data: new JsonPieces(['[', ...pieces, ']']) };
    }),
  ];
}

function exemplarText({ labels, value, timeMs }: Exemplar): string {
  return `{"labels":${labelsText(labels.entries())},"value":"${floatText(value)}","timestamp":${timeText(timeMs)}}`;
}
