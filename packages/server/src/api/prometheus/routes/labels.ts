import type { ParserOptions } from '@signalbox/query-language';
import { listLabelNames, listLabelValues, listSeries } from '../../../query/promql-store/list-series.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { labelsText } from '../encode-json.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { get, getOrPost, JsonPieces, type PrometheusRoute, truncated } from '../prometheus-route.ts';
import { readMatchers } from '../read-matchers.ts';
import { unescapeLabelName } from '../unescape-label-name.ts';

/** What series, labels and values there are. */
export function labelRoutes(catalog: SeriesCatalog, parser: ParserOptions): readonly PrometheusRoute[] {
  return [
    ...getOrPost('series', async ({ parameters, context }) => {
      const selectors = parameters.list('match[]');
      if (selectors.length === 0) throw new PrometheusError('bad_data', 'no match[] parameter provided');
      const limit = parameters.limit();
      const range = parameters.range();
      const sets = readMatchers(selectors, parser, (message) => `invalid parameter "match[]": ${message}`);
      const found = await listSeries(context, catalog, sets, range);
      const { items, warnings } = truncated(found, limit);
      const pieces = items.map((labels, index) => `${index === 0 ? '' : ','}${labelsText(labels.entries())}`);
      return { data: new JsonPieces(['[', ...pieces, ']']), warnings };
    }),
    ...getOrPost('labels', async ({ parameters, context }) => {
      const limit = parameters.limit();
      const range = parameters.range();
      const names = await listLabelNames(context, catalog, readMatchers(parameters.list('match[]'), parser), range);
      const { items, warnings } = truncated(names, limit);
      return { data: items, warnings };
    }),
    get('label/{name}/values', async ({ path, parameters, context }) => {
      const name = unescapeLabelName(path.name ?? '');
      if (name === '') throw new PrometheusError('bad_data', 'invalid label name: ""');
      const limit = parameters.limit();
      const range = parameters.range();
      const sets = readMatchers(parameters.list('match[]'), parser);
      const { items, warnings } = truncated(await listLabelValues(context, catalog, name, sets, range), limit);
      return { data: items, warnings };
    }),
  ];
}
