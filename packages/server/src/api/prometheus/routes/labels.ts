import type { ParserOptions } from '@signalbox/query-language';
import { listLabelNames, listLabelValues, listSeries } from '../../../query/promql-store/list-series.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { end, labels, limit, listOf, match, required, start, text } from '../describe-route.ts';
import { labelsText } from '../encode-json.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { get, getOrPost, JsonPieces, type PrometheusRoute, strict, truncated } from '../prometheus-route.ts';
import { readMatchers } from '../read-matchers.ts';
import { unescapeLabelName } from '../unescape-label-name.ts';

const about = {
  series: {
    summary: 'The labels of series.',
    parameters: [required(match, 'up'), start, end, limit],
    answers: listOf(labels),
  },
  names: { summary: 'Names of labels.', parameters: [match, start, end, limit], answers: listOf(text) },
  values: {
    summary: 'Values of a label. Its name is as it is, or escaped (U__…).',
    parameters: [match, start, end, limit],
    answers: listOf(text),
  },
};

/** What series, labels and values there are. */
export function labelRoutes(catalog: SeriesCatalog, parser: ParserOptions): readonly PrometheusRoute[] {
  return [
    ...getOrPost('series', about.series, async ({ parameters, context }) => {
      const selectors = parameters.list('match[]');
      if (selectors.length === 0) throw new PrometheusError('bad_data', 'no match[] parameter provided');
      const most = parameters.limit();
      const range = parameters.range();
      const sets = readMatchers(selectors, parser, (message) => `invalid parameter "match[]": ${message}`);
      const found = await listSeries(context, catalog, sets, range);
      const { items, warnings } = truncated(found, most);
      const pieces = items.map((own, index) => `${index === 0 ? '' : ','}${labelsText(own.entries())}`);
      return { data: new JsonPieces(['[', ...pieces, ']']), warnings };
    }).map(strict),
    ...getOrPost('labels', about.names, async ({ parameters, context }) => {
      const most = parameters.limit();
      const range = parameters.range();
      const names = await listLabelNames(context, catalog, readMatchers(parameters.list('match[]'), parser), range);
      const { items, warnings } = truncated(names, most);
      return { data: items, warnings };
    }),
    get('label/{name}/values', about.values, async ({ path, parameters, context }) => {
      const name = unescapeLabelName(path.name ?? '');
      if (name === '') throw new PrometheusError('bad_data', 'invalid label name: ""');
      const most = parameters.limit();
      const range = parameters.range();
      const sets = readMatchers(parameters.list('match[]'), parser);
      const { items, warnings } = truncated(await listLabelValues(context, catalog, name, sets, range), most);
      return { data: items, warnings };
    }),
  ];
}
