import { expect, test } from 'vitest';
import { openSearchOperation } from './opensearch-operation.ts';

// Names are those of the operation groups in OpenSearch's own specification of its API.
test.each([
  ['GET', '/', 'info', undefined],
  ['HEAD', '/', 'ping', undefined],
  ['PUT', '/users', 'indices.create', 'users'],
  ['HEAD', '/users', 'indices.exists', 'users'],
  ['POST', '/users/_search', 'search', 'users'],
  ['GET', '/users,others/_search', 'search', 'users,others'],
  ['GET', '/users%2Cothers/_search', 'search', 'users,others'],
  ['POST', '/_search', 'search', undefined],
  ['POST', '/_all/_search', 'search', '_all'],
  ['POST', '/_bulk', 'bulk', undefined],
  ['PUT', '/users/_doc/1', 'index', 'users'],
  ['POST', '/users/_doc', 'index', 'users'],
  ['GET', '/users/_doc/_search', 'get', 'users'],
  ['DELETE', '/users/_doc/1', 'delete', 'users'],
  ['HEAD', '/users/_doc/1', 'exists', 'users'],
  ['PUT', '/users/_create/1', 'create', 'users'],
  ['POST', '/users/_update/1', 'update', 'users'],
  ['POST', '/users/_delete_by_query', 'delete_by_query', 'users'],
  ['POST', '/_search/scroll', 'scroll', undefined],
  ['DELETE', '/_search/scroll/c2VjcmV0', 'clear_scroll', undefined],
  ['POST', '/users/_search/point_in_time', 'create_pit', 'users'],
  ['POST', '/users/_refresh', 'indices.refresh', 'users'],
  ['PUT', '/users/_mapping', 'indices.put_mapping', 'users'],
  ['POST', '/_aliases', 'indices.update_aliases', undefined],
  ['GET', '/_cluster/health/users', 'cluster.health', undefined],
  ['GET', '/_cat/indices', 'cat.indices', undefined],
  ['PUT', '/_scripts/of-mine', 'put_script', undefined],
  ['GET', '/_plugins/_knn/stats', 'knn', undefined],
  ['GET', '/users/_search?q=secret', 'search', 'users'],
])('%s %s is %s of %s', (method, path, operation, collection) => {
  expect(openSearchOperation(method, path)).toEqual({ operation, collection });
});

test('names of somebody’s never become operations', () => {
  expect(openSearchOperation('GET', '/users/person/1')).toEqual({ operation: undefined, collection: 'users' });
  expect(openSearchOperation('GET', '/_cluster/Secret%201').operation).toBe('cluster');
  expect(openSearchOperation('GET', `/_${'x'.repeat(1000)}`).operation).toBeUndefined();
  expect(openSearchOperation('GET', '/%E0%A4%A/_search')).toEqual({ operation: 'search', collection: '%E0%A4%A' });
});
