import { show } from './describe.ts';
import { type ExpectedAttributes, hasAttributes } from './expected-value.ts';
import type { RecordedSpanKind, RecordedStatusCode } from './recorded-span.ts';
import type { SpanNode } from './recorded-trace.ts';

/** What a span and those below it have to be; unset fields do not matter. */
export interface SpanStructure {
  readonly name?: string | RegExp;
  readonly kind?: RecordedSpanKind;
  readonly status?: RecordedStatusCode;
  readonly attributes?: ExpectedAttributes;
  /** Direct children that must be there, in any order, each another span. Further ones do not matter unless `exactly`. */
  readonly children?: readonly SpanStructure[];
  /** There are no children but those named. */
  readonly exactly?: boolean;
}

/** Why none of `nodes` is as `expected`; undefined when one is. */
export function structureMismatch(nodes: readonly SpanNode[], expected: SpanStructure): string | undefined {
  let best: string | undefined;
  for (const node of nodes) {
    const reason = mismatch(node, expected);
    if (reason === undefined) return undefined;
    // The reason of a span that fits by itself says more than "has another name".
    if (best === undefined || ownMismatch(node, expected) === undefined) best = reason;
  }
  return best ?? `there is no span where ${show(expected)} should be`;
}

function mismatch(node: SpanNode, expected: SpanStructure): string | undefined {
  const own = ownMismatch(node, expected);
  if (own !== undefined) return own;
  const { children = [], exactly = false } = expected;
  const missing = unassigned(node.children, children);
  if (missing !== undefined) {
    const reason = structureMismatch(node.children, missing);
    return `"${node.span.name}" lacks a child ${show(missing)}${reason === undefined ? ' (it is there, but fewer times)' : `: ${reason}`}`;
  }
  if (exactly && node.children.length > children.length) {
    const names = node.children.map(({ span }) => span.name).join('", "');
    return `"${node.span.name}" has ${node.children.length} children and not exactly ${children.length}: "${names}"`;
  }
  return undefined;
}

function ownMismatch({ span }: SpanNode, { name, kind, status, attributes = {} }: SpanStructure): string | undefined {
  if (name !== undefined && !(typeof name === 'string' ? span.name === name : new RegExp(name).test(span.name)))
    return `"${span.name}" is not named ${show(name)}`;
  if (kind !== undefined && span.kind !== kind) return `"${span.name}" is of kind ${span.kind}, not ${kind}`;
  if (status !== undefined && span.status.code !== status)
    return `"${span.name}" has the status ${span.status.code}, not ${status}`;
  if (!hasAttributes(span.attributes, attributes))
    return `"${span.name}" has the attributes ${show(span.attributes)}, not ${show(attributes)}`;
  return undefined;
}

/**
 * The first expectation that gets no node when each node may serve one of them; undefined when all get theirs. A later
 * expectation may take a node from an earlier one that finds another (augmenting paths), so their order does not matter.
 */
function unassigned(nodes: readonly SpanNode[], expected: readonly SpanStructure[]): SpanStructure | undefined {
  const fits = expected.map((structure) => nodes.map((node) => mismatch(node, structure) === undefined));
  const servedBy = new Map<number, number>();
  const assign = (structure: number, tried: Set<number>): boolean =>
    nodes.some((_, node) => {
      if (!fits[structure]?.[node] || tried.has(node)) return false;
      tried.add(node);
      const other = servedBy.get(node);
      if (other !== undefined && !assign(other, tried)) return false;
      servedBy.set(node, structure);
      return true;
    });
  return expected.find((_, structure) => !assign(structure, new Set()));
}
