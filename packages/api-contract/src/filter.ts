/**
 * One attribute comparison of a trace, log or metric search, as text: `key operator value`.
 *
 *     http.response.status_code >= 500        numbers compare as numbers
 *     chimney.cache_hit = true                booleans as booleans
 *     http.route = "/api/github/pulls"        quoted: a string, always
 *     user.id = u-42                          a bare word that is no number or boolean: a string
 *     resource.deployment.slot = blue         `resource.`, `scope.`, `span.`/`log.` and `event.` say where to look
 *     exception.message =~ "timeout.*"        RE2, anchored at both ends as in Prometheus
 *     db.system.name exists                   present; `!exists`: absent
 *
 * Without a scope prefix the record's own attributes are tried first, then the resource's, then (spans) its events'.
 * `!=` and `!~` match only records that have the attribute, as TraceQL has it.
 */
export type FilterText = string;

export type FilterOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~' | 'exists' | '!exists';

export const filterOperators: readonly FilterOperator[] = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '=~',
  '!~',
  'exists',
  '!exists',
];
