import type { LabelMatcher } from '@signalbox/query-language';
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

/** Labels that tell single things apart are no use to group by. */
function isAllIds(name: string, values: ReadonlySet<string>): boolean {
  return (
    name !== 'service_name' && [...values].every((value) => /^\d+(\.\d+)?$|^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(value))
  );
}
