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
 * `!=` and `!~` match only records that have the attribute, as TraceQL has it: those whose value `=` and `=~` do not match.
 * A text equals string attributes only, a number int and double ones; a regular expression sees the text of any type. A key with spaces or operators in
 * it is quoted: `"my key" exists`, `resource."my key" = 1`. Fields that are no attributes have names with a colon, as in
 * TraceQL (`filterIntrinsics`): `span:name = "GET /"`, `span:duration > 250ms`, `span:status = error`, `span:kind = server`,
 * `log:severity >= WARN`. `parseFilter` and `printFilter` read and write this text.
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

/** Fields of records that are no attributes. `event:name`: any event of the span. */
export const filterIntrinsics = [
  'span:name',
  'span:kind',
  'span:status',
  'span:statusMessage',
  'span:duration',
  'span:id',
  'trace:id',
  'scope:name',
  'scope:version',
  'event:name',
  'log:body',
  'log:severity',
  'log:event',
] as const;

export type FilterIntrinsic = (typeof filterIntrinsics)[number];
