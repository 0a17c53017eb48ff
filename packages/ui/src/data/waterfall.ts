import type { Span } from '@signalbox/api-contract';

export interface WaterfallNode {
  readonly span: Span;
  /** Nanoseconds from the trace's first instant. A number holds the nanoseconds of a hundred days exactly. */
  readonly start: number;
  readonly end: number;
  readonly children: WaterfallNode[];
  parent: WaterfallNode | null;
  depth: number;
  /** Itself and everything below. */
  size: number;
  /** Errors below it, itself not counted: a collapsed row must not hide them. */
  errorsBelow: number;
  /** It names a parent that is not in the trace. */
  readonly parentMissing: boolean;
  /** It lies outside of its parent and ran in another process: that machine's clock is off. */
  skewed: boolean;
}

export interface Waterfall {
  readonly roots: readonly WaterfallNode[];
  readonly bySpanId: ReadonlyMap<string, WaterfallNode>;
  /** All of them, parents before children, in the order in which they are drawn. */
  readonly nodes: readonly WaterfallNode[];
  /** Nanoseconds. */
  readonly duration: number;
  readonly startUnixNano: bigint;
  readonly missingParents: number;
  readonly skewed: number;
}

/**
 * The spans of a trace as trees. Whatever is wrong with them is shown rather than dropped: spans whose parent is missing become roots,
 * a circle of parents is opened at its earliest span, of two spans with one id the first counts.
 */
export function layoutWaterfall(spans: readonly Span[]): Waterfall {
  const times = spans.map((span) => ({ start: toBigInt(span.startTimeUnixNano), end: toBigInt(span.endTimeUnixNano) }));
  let first: bigint | null = null;
  for (const { start } of times) if (start > 0n && (first === null || start < first)) first = start;
  const base = first ?? 0n;

  const bySpanId = new Map<string, WaterfallNode>();
  const nodes: WaterfallNode[] = [];
  const known = new Set(spans.map(({ spanId }) => spanId));
  spans.forEach((span, index) => {
    if (bySpanId.has(span.spanId)) return;
    const time = times[index];
    const start = time && time.start > 0n ? Number(time.start - base) : 0;
    const end = time ? Math.max(start, Number(time.end - base)) : start;
    const parentMissing = span.parentSpanId !== '' && !known.has(span.parentSpanId);
    const node = {
      span,
      start,
      end,
      children: [],
      parent: null,
      depth: 0,
      size: 1,
      errorsBelow: 0,
      parentMissing,
      skewed: false,
    };
    bySpanId.set(span.spanId, node);
    nodes.push(node);
  });

  // By start; of those that start together the longer first, which is likelier to hold the other.
  nodes.sort((a, b) => a.start - b.start || b.end - a.end || (a.span.spanId < b.span.spanId ? -1 : 1));
  const parentOf = (node: WaterfallNode) => bySpanId.get(node.span.parentSpanId);
  const opened = openCircles(nodes, parentOf);
  const roots: WaterfallNode[] = [];
  for (const node of nodes) {
    const parent = parentOf(node);
    if (!parent || opened.has(node)) roots.push(node);
    else {
      node.parent = parent;
      parent.children.push(node);
    }
  }

  const ordered: WaterfallNode[] = [];
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    node.depth = node.parent ? node.parent.depth + 1 : 0;
    node.skewed = isSkewed(node);
    ordered.push(node);
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) stack.push(child);
    }
  }
  for (let index = ordered.length - 1; index >= 0; index--) {
    const node = ordered[index];
    if (!node?.parent) continue;
    node.parent.size += node.size;
    node.parent.errorsBelow += node.errorsBelow + (node.span.status.code === 'ERROR' ? 1 : 0);
  }

  return {
    roots,
    bySpanId,
    nodes: ordered,
    duration: ordered.reduce((latest, { end }) => Math.max(latest, end), 0),
    startUnixNano: base,
    missingParents: ordered.filter(({ parentMissing }) => parentMissing).length,
    skewed: ordered.filter(({ skewed }) => skewed).length,
  };
}

/** Of every circle of parents its earliest span: opened there, it becomes a tree. Looks at each span once. */
function openCircles(
  nodes: readonly WaterfallNode[],
  parentOf: (node: WaterfallNode) => WaterfallNode | undefined,
): ReadonlySet<WaterfallNode> {
  const opened = new Set<WaterfallNode>();
  const walk = new Map<WaterfallNode, number>();
  nodes.forEach((first, index) => {
    let at: WaterfallNode | undefined = first;
    while (at && !walk.has(at)) {
      walk.set(at, index);
      at = parentOf(at);
    }
    // Met a span of this same walk: a circle. Of another walk: known ground.
    if (!at || walk.get(at) !== index || opened.has(at)) return;
    let earliest = at;
    for (let next = parentOf(at); next && next !== at; next = parentOf(next))
      if (next.start < earliest.start) earliest = next;
    opened.add(earliest);
  });
  return opened;
}

function isSkewed({ parent, start, end, span }: WaterfallNode): boolean {
  if (!parent || parent.span.resource === span.resource) return false;
  // A consumer or a detached child may well outlive its parent; starting before it cannot be.
  return start < parent.start - 1e5 && end < parent.end + 1e9;
}

function toBigInt(text: string): bigint {
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}

/** The rows that are to be seen: without those below a collapsed one. */
export function visibleRows({ nodes }: Waterfall, collapsed: ReadonlySet<string>): WaterfallNode[] {
  if (collapsed.size === 0) return [...nodes];
  const rows: WaterfallNode[] = [];
  for (let index = 0; index < nodes.length; ) {
    const node = nodes[index];
    if (!node) break;
    rows.push(node);
    // Depth first order: what is below a node directly follows it.
    index += collapsed.has(node.span.spanId) ? node.size : 1;
  }
  return rows;
}

/** Without these collapsed the span cannot be seen. */
export function expandTo(waterfall: Waterfall, spanId: string, collapsed: ReadonlySet<string>): ReadonlySet<string> {
  const next = new Set(collapsed);
  for (let node = waterfall.bySpanId.get(spanId)?.parent; node; node = node.parent) next.delete(node.span.spanId);
  return next.size === collapsed.size ? collapsed : next;
}

/** Everything that has children below this depth. */
export function collapseBelow({ nodes }: Waterfall, depth: number): ReadonlySet<string> {
  return new Set(
    nodes.filter((node) => node.depth >= depth && node.children.length > 0).map(({ span }) => span.spanId),
  );
}
