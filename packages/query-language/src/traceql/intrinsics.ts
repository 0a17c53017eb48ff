import type { StaticType } from './static.ts';

/** Intrinsics as they are printed, with their types. Where there is an older name without a scope, that is the name. */
const TYPES = {
  duration: 'duration',
  name: 'string',
  status: 'status',
  statusMessage: 'string',
  kind: 'kind',
  'span:id': 'string',
  'span:parentID': 'string',
  'span:childCount': 'int',
  rootName: 'string',
  rootServiceName: 'string',
  traceDuration: 'duration',
  'trace:id': 'string',
  nestedSetLeft: 'int',
  nestedSetRight: 'int',
  nestedSetParent: 'int',
  'event:name': 'string',
  'event:timeSinceStart': 'duration',
  'link:spanID': 'string',
  'link:traceID': 'string',
  'instrumentation:name': 'string',
  'instrumentation:version': 'string',
  /** Known to the grammar, refused by the type check. */
  parent: 'nil',
} as const satisfies Record<string, StaticType>;

export type IntrinsicName = keyof typeof TYPES;

export function intrinsicType(name: IntrinsicName): StaticType {
  return TYPES[name];
}

const UNSCOPED: ReadonlySet<IntrinsicName> = new Set<IntrinsicName>([
  'duration',
  'name',
  'status',
  'statusMessage',
  'kind',
  'rootName',
  'rootServiceName',
  'traceDuration',
  'nestedSetLeft',
  'nestedSetRight',
  'nestedSetParent',
  'parent',
]);

const SCOPED: ReadonlyMap<string, IntrinsicName> = new Map<string, IntrinsicName>([
  ['trace:duration', 'traceDuration'],
  ['trace:rootName', 'rootName'],
  ['trace:rootService', 'rootServiceName'],
  ['trace:id', 'trace:id'],
  ['span:duration', 'duration'],
  ['span:name', 'name'],
  ['span:kind', 'kind'],
  ['span:status', 'status'],
  ['span:statusMessage', 'statusMessage'],
  ['span:id', 'span:id'],
  ['span:parentID', 'span:parentID'],
  ['span:childCount', 'span:childCount'],
  ['event:name', 'event:name'],
  ['event:timeSinceStart', 'event:timeSinceStart'],
  ['link:traceID', 'link:traceID'],
  ['link:spanID', 'link:spanID'],
  ['instrumentation:name', 'instrumentation:name'],
  ['instrumentation:version', 'instrumentation:version'],
]);

/** Scopes that stand before a colon. */
export const INTRINSIC_SCOPES: ReadonlySet<string> = new Set(['trace', 'span', 'event', 'link', 'instrumentation']);

/** The intrinsics of scopes, as they are written nowadays. */
export const SCOPED_INTRINSICS: readonly string[] = [...SCOPED.keys()];

/** @param scope '' for none. Undefined: there is no such intrinsic. */
export function findIntrinsic(scope: string, name: string): IntrinsicName | undefined {
  if (scope !== '') return SCOPED.get(`${scope}:${name}`);
  return UNSCOPED.has(name as IntrinsicName) ? (name as IntrinsicName) : undefined;
}
