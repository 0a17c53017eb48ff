import { parseLogql } from '@signalbox/query-language';
import { type DetectedField, detectFields } from '../../../query/logql-store/detect-fields.ts';
import { StoreLogs } from '../../../query/logql-store/store-logs.ts';
import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { LokiError } from '../loki-error.ts';
import { type LokiRequest, type LokiRoute, route } from '../loki-route.ts';

const defaultFields = 1000;

/** What lines have in them, found in the newest of a query. */
export function detectedFieldRoutes(catalog: StreamCatalog): readonly LokiRoute[] {
  const detected = async ({ parameters, context }: LokiRequest): Promise<readonly DetectedField[]> => {
    const expr = parseLogql(parameters.text('query'));
    if (expr.kind !== 'log') throw new LokiError(400, 'only log selector is supported');
    const { startNs, endNs } = parameters.range();
    const lines = parameters.limit('line_limit');
    const range = { fromNs: startNs, toNs: endNs };
    return await detectFields(new StoreLogs(context, catalog), expr, range, lines, context.signal);
  };
  const limitOf = ({ parameters }: LokiRequest) =>
    parameters.count(parameters.text('limit') === '' ? 'field_limit' : 'limit', defaultFields);
  return [
    ...route('detected_fields', async (request) => {
      const limit = limitOf(request);
      const fields = (await detected(request)).slice(0, limit).map(({ label, type, values, parsers, jsonPath }) => ({
        label,
        type,
        cardinality: values.size,
        parsers: parsers.size === 0 ? null : [...parsers],
        ...(jsonPath && { jsonPath }),
      }));
      return { json: { fields, limit } };
    }),
    ...route('detected_field/{name}/values', async (request) => {
      const limit = limitOf(request);
      const field = (await detected(request)).find(({ label }) => label === request.path.name);
      return { json: { values: [...(field?.values ?? [])].slice(0, limit), limit } };
    }),
  ];
}
