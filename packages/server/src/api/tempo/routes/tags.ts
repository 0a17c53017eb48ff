import { parseTraceql, type traceql } from '@signalbox/query-language';
import { nanosPerSecond } from '../../../query/time-range.ts';
import { listTagValues, type TagValue } from '../../../query/traceql/tags/list-tag-values.ts';
import { listTags, TAG_SCOPES, type TagScope } from '../../../query/traceql/tags/list-tags.ts';
import { tagFilter } from '../../../query/traceql/tags/tag-filter.ts';
import { encodeTags, encodeTagValues } from '../encode-protobuf.ts';
import { invalid, type TempoParameters } from '../tempo-parameters.ts';
import { get, type TempoRequest, type TempoRoute } from '../tempo-route.ts';

const defaultLimit = 1_000;
const maxLimit = 50_000;
/** How far back completion looks when it is not told. */
const lookbackNanos = 6n * 3_600n * nanosPerSecond;

export const tagRoutes: readonly TempoRoute[] = [
  get('api/search/tags', async (request) => {
    const scope = readScope(request.parameters);
    const scopes = await readTags(request, scope ?? 'none');
    const names = new Set(
      scopes.filter(({ name }) => name !== 'intrinsic' || scope === name).flatMap(({ tags }) => tags),
    );
    return { json: () => ({ tagNames: [...names].sort(), metrics: {} }) };
  }),
  get('api/v2/search/tags', async (request) => {
    const scopes = await readTags(request, readScope(request.parameters) ?? 'none');
    return { json: () => ({ scopes, metrics: {} }), protobuf: () => encodeTags(scopes) };
  }),
  get('api/search/tag/{tag}/values', async (request) => {
    const values = await readValues(request, readV1TagField);
    return { json: () => ({ tagValues: [...new Set(values.map(({ value }) => value))], metrics: {} }) };
  }),
  get('api/v2/search/tag/{tag}/values', async (request) => {
    const values = await readValues(request);
    return { json: () => ({ tagValues: values, metrics: {} }), protobuf: () => encodeTagValues(values) };
  }),
];

function readTags(
  { parameters, context }: TempoRequest,
  scope: TagScope | 'none',
): Promise<{ name: TagScope; tags: string[] }[]> {
  return listTags(context, {
    range: parameters.rangeOr(lookbackNanos),
    scopes: scope === 'none' ? TAG_SCOPES : [scope],
    filter: tagFilter(parameters.text('q')),
    limit: parameters.integer('limit', defaultLimit, maxLimit) || defaultLimit,
  });
}

function readScope(parameters: TempoParameters): TagScope | undefined {
  const text = parameters.text('scope');
  if (text === '' || text === 'none') return undefined;
  const scope = TAG_SCOPES.find((candidate) => candidate === text);
  if (scope === undefined) throw invalid('scope', `invalid scope: ${text}`);
  return scope;
}

/** What tags are that stood for no attribute before TraceQL. */
const V1_TAGS: ReadonlyMap<string, string> = new Map([
  ['root.name', 'rootName'],
  ['root.service.name', 'rootServiceName'],
  ['status.code', 'status'],
]);

/** A field as the API's first version names it. */
export function readV1TagField(tag: string): traceql.Field {
  return readTagField(V1_TAGS.get(tag) ?? tag);
}

function readValues(
  { path: { tag = '' }, parameters, context }: TempoRequest,
  read = readTagField,
): Promise<TagValue[]> {
  return listTagValues(context, {
    field: read(tag),
    range: parameters.rangeOr(lookbackNanos),
    filter: tagFilter(parameters.text('q')),
    limit: parameters.integer('limit', defaultLimit, maxLimit) || defaultLimit,
  });
}

/** A field as it stands in a query, or the bare name of an attribute. Grafana encodes it twice. */
export function readTagField(tag: string): traceql.Field {
  const text = /%[0-9A-Fa-f]{2}/.test(tag) ? decodeTwice(tag) : tag;
  try {
    const { expr } = parseTraceql(`{ ${text} != nil }`);
    const stage = expr.kind === 'pipeline' ? expr.stages[0] : undefined;
    if (stage?.kind === 'spansetFilter' && stage.condition.kind === 'existence') {
      const field = stage.condition.expr;
      if (field.kind === 'attribute' || field.kind === 'intrinsic') return field;
    }
  } catch {
    // A bare name: below.
  }
  return { kind: 'attribute', scope: 'none', isParent: false, name: text, range: { start: 0, end: text.length } };
}

function decodeTwice(tag: string): string {
  try {
    return decodeURIComponent(tag);
  } catch {
    return tag;
  }
}
