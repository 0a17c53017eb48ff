/** Which of the API's functions a request calls, as far as method and path tell, and on which indices. */
export interface OpenSearchOperation {
  /** In the words of the API's specification (`search`, `indices.create`); undefined for paths that are not of its form. */
  readonly operation: string | undefined;
  readonly collection: string | undefined;
}

type ByMethod = Readonly<Record<string, string>>;

/** A path without an endpoint: of an index, and of the server itself. */
const ofIndex: ByMethod = {
  GET: 'indices.get',
  PUT: 'indices.create',
  DELETE: 'indices.delete',
  HEAD: 'indices.exists',
};
const ofServer: ByMethod = { GET: 'info', HEAD: 'ping' };

/** Endpoints that are called otherwise than their path, or by the method. Names with a dot stand for a second part. */
const endpoints: ReadonlyMap<string, ByMethod | string> = new Map<string, ByMethod | string>([
  ['_doc', { GET: 'get', PUT: 'index', POST: 'index', DELETE: 'delete', HEAD: 'exists' }],
  ['_source', { GET: 'get_source', HEAD: 'exists_source' }],
  ['_search.scroll', { DELETE: 'clear_scroll', GET: 'scroll', POST: 'scroll' }],
  ['_search.template', 'search_template'],
  ['_search.point_in_time', { POST: 'create_pit', DELETE: 'delete_pit', GET: 'get_all_pits' }],
  ['_msearch.template', 'msearch_template'],
  ['_render.template', 'render_search_template'],
  ['_scripts', { GET: 'get_script', PUT: 'put_script', POST: 'put_script', DELETE: 'delete_script' }],
  ['_aliases', { POST: 'indices.update_aliases', GET: 'indices.get_alias' }],
  [
    '_alias',
    {
      GET: 'indices.get_alias',
      PUT: 'indices.put_alias',
      DELETE: 'indices.delete_alias',
      HEAD: 'indices.exists_alias',
    },
  ],
  ['_mapping', { GET: 'indices.get_mapping', PUT: 'indices.put_mapping', POST: 'indices.put_mapping' }],
  ['_mappings', { GET: 'indices.get_mapping', PUT: 'indices.put_mapping', POST: 'indices.put_mapping' }],
  ['_settings', { GET: 'indices.get_settings', PUT: 'indices.put_settings' }],
  ['_cache.clear', 'indices.clear_cache'],
]);

/** Endpoints of indices, which are called by their own word. */
const indexEndpoints = new Set(
  'analyze clone close flush forcemerge open recovery refresh rollover segments shrink split stats upgrade'.split(' '),
);

/** Endpoints whose next part is a word of the API (`_cluster/health`), not a name of somebody's. */
const families = new Set(['_cat', '_cluster']);

/** Anything else could be part of a name. */
const word = /^[a-z_]{1,40}$/;

export function openSearchOperation(method: string, path: string): OpenSearchOperation {
  // Where an endpoint is, at the latest behind the index and the id of what it is about.
  const parts = pathOf(path)
    .split('/', 8)
    .filter((part) => part !== '');
  const collection = parts[0] === undefined || (isEndpoint(parts[0]) && parts[0] !== '_all') ? undefined : parts[0];
  const at = parts.findIndex((part, index) => isEndpoint(part) && (collection === undefined || index > 0));
  return { operation: operationOf(method, parts, at, collection), collection: collection && decode(collection) };
}

function operationOf(
  method: string,
  parts: readonly string[],
  at: number,
  collection: string | undefined,
): string | undefined {
  const endpoint = parts[at];
  if (endpoint === undefined) {
    if (collection === undefined) return ofServer[method];
    return parts.length === 1 ? ofIndex[method] : undefined;
  }
  if (!word.test(endpoint)) return undefined;
  const next = parts[at + 1];
  const known = (next === undefined ? undefined : endpoints.get(`${endpoint}.${next}`)) ?? endpoints.get(endpoint);
  const named = typeof known === 'string' ? known : known?.[method];
  if (named !== undefined) return named;
  const plain = endpoint.slice(1);
  if (indexEndpoints.has(plain)) return `indices.${plain}`;
  if (families.has(endpoint) && next !== undefined && word.test(next)) return `${plain}.${next}`;
  // `_plugins/_knn/…`
  return endpoint === '_plugins' && next !== undefined && word.test(next) ? next.replace(/^_/, '') : plain;
}

const isEndpoint = (part: string): boolean => part.startsWith('_');

/** Without a query, which is none of the client's own paths. */
function pathOf(path: string): string {
  const end = path.indexOf('?');
  return end < 0 ? path : path.slice(0, end);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not of the client's making: as it is.
    return part;
  }
}
