import type { ParserOptions } from '@signalbox/query-language';
import { type Exemplar, listExemplars } from '../../../query/promql-store/list-exemplars.ts';
import { listMetadata } from '../../../query/promql-store/list-metadata.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import {
  count,
  describeParameter,
  end,
  integer,
  labels,
  listOf,
  mapOf,
  metric,
  number,
  object,
  query,
  required,
  start,
  text,
} from '../describe-route.ts';
import { floatText, labelsText, timeText } from '../encode-json.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { get, getOrPost, JsonPieces, type PrometheusRoute } from '../prometheus-route.ts';
import { readExpression, selectorsOf } from '../read-matchers.ts';

const about = {
  metadata: {
    summary: 'Type, unit and description of metrics, by their names.',
    parameters: [
      count,
      describeParameter('limit_per_metric', integer, 'As many of each metric at most, where senders disagree.'),
      metric,
    ],
    answers: mapOf(listOf(object({ type: text, help: text, unit: text }))),
  },
  exemplars: {
    summary: 'Exemplars of the series that an expression selects.',
    parameters: [required(query, 'up'), start, end],
    answers: listOf(
      object({ seriesLabels: labels, exemplars: listOf(object({ labels, value: text, timestamp: number })) }),
    ),
  },
};

/** What is known of metrics, and their exemplars. */
export function metadataRoutes(catalog: SeriesCatalog, parser: ParserOptions): readonly PrometheusRoute[] {
  return [
    get('metadata', about.metadata, async ({ parameters, context }) => {
      const families = parameters.count('limit');
      const perMetric = parameters.count('limit_per_metric');
      const wanted = parameters.text('metric');
      const found = [...(await listMetadata(context, catalog))]
        .filter(([name]) => wanted === '' || name === wanted)
        .slice(0, families < 0 ? undefined : families)
        .map(([name, all]) => [name, perMetric > 0 ? all.slice(0, perMetric) : all] as const);
      return { data: Object.fromEntries(found) };
    }),
    ...getOrPost('query_exemplars', about.exemplars, async ({ parameters, context }) => {
      const range = parameters.range();
      if (range.toMs < range.fromMs) {
        throw new PrometheusError('bad_data', 'end timestamp must not be before start timestamp');
      }
      const expression = readExpression(parameters.text('query'), parser, (message) => message);
      const found = await listExemplars(context, catalog, selectorsOf(expression), range);
      const pieces = found.map(({ labels: own, exemplars }, index) => {
        const series = `{"seriesLabels":${labelsText(own.entries())},"exemplars":[${exemplars.map(exemplarText).join()}]}`;
        return index === 0 ? series : `,${series}`;
      });
      return { data: new JsonPieces(['[', ...pieces, ']']) };
    }),
  ];
}

function exemplarText({ labels: own, value, timeMs }: Exemplar): string {
  return `{"labels":${labelsText(own.entries())},"value":"${floatText(value)}","timestamp":${timeText(timeMs)}}`;
}
