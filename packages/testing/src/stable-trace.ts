import type { RecordedSpan, RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
import type { RecordedTrace, SpanNode } from './recorded-trace.ts';
import type { RecordedAttributes, RecordedValue } from './recorded-value.ts';

/** A span of a snapshot: all that is the same in every run. Empty fields are left out. */
export interface StableSpan {
  readonly name: string;
  readonly kind: RecordedSpanKind;
  readonly status?: RecordedStatusCode;
  readonly attributes?: RecordedAttributes;
  readonly events?: readonly { readonly name: string; readonly attributes?: RecordedAttributes }[];
  readonly children?: readonly StableSpan[];
}

export interface StableOptions {
  /** Further attributes whose values change from run to run; only that they are there is kept. */
  readonly changing?: readonly (string | RegExp)[];
}

/** Attributes of the conventions that name a process, a connection, a message or a moment. */
const CHANGING =
  /^(process\.pid|thread\.(id|name)|host\.name|(server|client|network\.peer|network\.local|net\.peer|net\.host)\.port|messaging\.(message\.(id|conversation_id)|client\.id)|faas\.invocation_id|service\.instance\.id)$|(^|[._])duration([._]|$)/;

/** A trace without ids, times, ports and stacks, for snapshots: as roots with their children. */
export function stableTrace(trace: RecordedTrace, options: StableOptions = {}): StableSpan[] {
  const changing = [CHANGING, ...(options.changing ?? [])];
  return trace.roots.map((node) => stableSpan(node, changing));
}

function stableSpan({ span, children }: SpanNode, changing: readonly (string | RegExp)[]): StableSpan {
  const attributes = stableAttributes(span.attributes, changing);
  return {
    name: span.name,
    kind: span.kind,
    ...(span.status.code !== 'unset' && { status: span.status.code }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(span.events.length > 0 && { events: stableEvents(span, changing) }),
    ...(children.length > 0 && { children: children.map((child) => stableSpan(child, changing)) }),
  };
}

function stableEvents({ events }: RecordedSpan, changing: readonly (string | RegExp)[]) {
  return events.map(({ name, attributes }) => {
    const stable = stableAttributes(attributes, changing);
    return { name, ...(Object.keys(stable).length > 0 && { attributes: stable }) };
  });
}

function stableAttributes(attributes: RecordedAttributes, changing: readonly (string | RegExp)[]): RecordedAttributes {
  const names = Object.keys(attributes).sort();
  return Object.fromEntries(names.map((name) => [name, stableValue(name, attributes[name] ?? null, changing)]));
}

function stableValue(name: string, value: RecordedValue, changing: readonly (string | RegExp)[]): RecordedValue {
  if (changing.some((pattern) => (typeof pattern === 'string' ? pattern === name : new RegExp(pattern).test(name))))
    return `<${name}>`;
  if (typeof value !== 'string') return value;
  // A stack has the paths and lines of this machine and this version.
  if (name === 'exception.stacktrace') return value.split('\n', 1)[0] ?? '';
  return value.replace(/\b(127\.0\.0\.1|localhost|\[::1\]):\d+/g, '$1:<port>');
}
