import type { LabelMatcher } from '@signalbox/query-language';
import { parseGoFloat } from '../../../query/logql/pipeline/parse-go-float.ts';
import type { StoredStream } from '../../../query/logql-store/stored-stream.ts';
import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { selectorOf } from '../loki-parameters.ts';
import { type LokiRequest, type LokiRoute, route, success } from '../loki-route.ts';

/** Names, values and sets of the labels of streams. */
export function labelRoutes(catalog: StreamCatalog): readonly LokiRoute[] {
  const streams = async ({ parameters, context }: LokiRequest, matchers: readonly LabelMatcher[]) =>
    (await catalog.select(context, matchers, parameters.listRange())).streams;
  const names = async (request: LokiRequest) => {
    const found = new Set<string>();
    for (const { stream } of await streams(request, request.parameters.matchers('query'))) {
      for (const name of [...stream.values.keys(), ...stream.implied.keys()]) found.add(name);
    }
    return success([...found].sort());
  };
  return [
    ...route('labels', names),
    ...route('label', names),
    ...route('label/{name}/values', async (request) => {
      const { name = '' } = request.path;
      const values = new Set<string>();
      for (const { stream } of await streams(request, request.parameters.matchers('query')))
        values.add(stream.get(name));
      values.delete('');
      return success([...values].sort());
    }),
    ...route('series', async (request) => {
      const selectors = [...request.parameters.list('match[]'), ...request.parameters.list('match')];
      const found = new Map<string, StoredStream>();
      const groups = selectors.length === 0 ? [[]] : selectors.map(selectorOf);
      for (const matchers of groups) {
        for (const stored of await streams(request, matchers)) found.set(stored.stream.labels.key, stored);
      }
      return success([...found.values()].map(({ stream }) => Object.fromEntries(stream.labels.entries())));
    }),
    ...route('detected_labels', async (request) => {
      const values = new Map<string, Set<string>>();
      for (const { stream } of await streams(request, request.parameters.matchers('query'))) {
        for (const [name, value] of [...stream.values, ...stream.implied]) {
          const known = values.get(name) ?? new Set();
          values.set(name, known.add(value));
        }
      }
      const detectedLabels = [...values]
        .filter(([name, known]) => !isAllIds(name, known))
        .map(([label, known]) => ({ label, cardinality: known.size }))
        .sort((a, b) => (a.label < b.label ? -1 : 1));
      return { json: { detectedLabels } };
    }),
  ];
}

/** Labels that stay even if their values are nothing but numbers. */
const GROUPING = new Set(['service_name', 'cluster', 'namespace', 'instance', 'pod']);
const UUID =
  /^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$|^\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?$|^[0-9a-f]{32}$/i;

/** Labels that tell single things apart are no use to group by. Zeros and ones say yes and no. */
function isAllIds(name: string, values: ReadonlySet<string>): boolean {
  if (GROUPING.has(name)) return false;
  const all = [...values];
  if (all.every((value) => value === '0' || value === '1')) return false;
  return all.every((value) => parseGoFloat(value) !== undefined || UUID.test(value));
}
