import type { RecordedSpan } from './recorded-span.ts';

/** A span with those that it caused. */
export interface SpanNode {
  readonly span: RecordedSpan;
  readonly children: readonly SpanNode[];
}

/** The spans of one trace, as a list and as a tree. */
export class RecordedTrace {
  readonly traceId: string;
  /** By start time. */
  readonly spans: readonly RecordedSpan[];
  /** Spans without a parent here: the root, those whose parent was not recorded, and one of each cycle of parents. */
  readonly roots: readonly SpanNode[];

  /** @param spans at least one, all of one trace, by start time */
  constructor(spans: readonly RecordedSpan[]) {
    this.traceId = spans[0]?.traceId ?? '';
    this.spans = spans;
    this.roots = treeOf(spans);
  }

  /** Milliseconds from the first start to the last end. */
  get durationMillis(): number {
    const start = this.spans[0]?.startTime ?? 0n;
    return this.spans.reduce((longest, { endTime }) => Math.max(longest, Number(endTime - start) / 1e6), 0);
  }

  /** The children of a span of this trace. */
  childrenOf(span: RecordedSpan): readonly RecordedSpan[] {
    return inOrder(this.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId));
  }
}

function treeOf(spans: readonly RecordedSpan[]): SpanNode[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = new Map<string, RecordedSpan[]>();
  const roots: RecordedSpan[] = [];
  for (const span of spans) {
    if (span.parentSpanId === undefined || !ids.has(span.parentSpanId)) roots.push(span);
    else children.set(span.parentSpanId, [...(children.get(span.parentSpanId) ?? []), span]);
  }
  const placed = new Set<string>();
  const node = (span: RecordedSpan): SpanNode => {
    placed.add(span.spanId);
    const own = (children.get(span.spanId) ?? []).filter(({ spanId }) => !placed.has(spanId));
    return { span, children: inOrder(own).map(node) };
  };
  const nodes = inOrder(roots).map(node);
  for (const span of spans) if (!placed.has(span.spanId)) nodes.push(node(span));
  return nodes;
}

/**
 * Siblings by start time; those that ran at the same time, whose order is chance, by name. So two runs of the same code
 * give the same order.
 */
function inOrder(siblings: readonly RecordedSpan[]): RecordedSpan[] {
  const byStart = siblings.toSorted((a, b) => (a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0));
  const ordered: RecordedSpan[] = [];
  let together: RecordedSpan[] = [];
  let end = 0n;
  for (const span of byStart) {
    if (together.length > 0 && span.startTime >= end) {
      ordered.push(...byName(together));
      together = [];
      end = 0n;
    }
    together.push(span);
    if (span.endTime > end) end = span.endTime;
  }
  return [...ordered, ...byName(together)];
}

function byName(spans: readonly RecordedSpan[]): RecordedSpan[] {
  return spans.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
