import type { WaterfallNode } from './waterfall.ts';

/** A stretch of time in which the trace waited for this span itself, not for one of its children. Nanoseconds from the trace's start. */
export interface CriticalSection {
  readonly spanId: string;
  readonly start: number;
  readonly end: number;
}

/**
 * What made the request as slow as it was: from the root's end backwards, always along the child that finished last before.
 * A child that goes on after its parent was not waited for, but for the server's side of a call: its caller had the answer, and only
 * clocks or the end of a stream make it seem longer. One that begins before its parent (another clock) counts from the parent's start.
 * Sections come in order of time, do not overlap, and together are as long as the root.
 */
export function criticalPath(root: WaterfallNode): CriticalSection[] {
  const sections: CriticalSection[] = [];
  const stack: { node: WaterfallNode; from: number; until: number }[] = [
    { node: root, from: root.start, until: root.end },
  ];
  for (let task = stack.pop(); task; task = stack.pop()) {
    const { node, from } = task;
    let cursor = task.until;
    const spanId = node.span.spanId;
    const byEnd = [...node.children].sort((a, b) => b.end - a.end || b.start - a.start);
    const rounding = (node.end - node.start) * 0.005;
    for (const child of byEnd) {
      if (cursor <= from) break;
      // Ended later than what we follow now began: it ran beside it, nobody waited for it.
      const answered = node.span.kind === 'CLIENT' && child.span.kind === 'SERVER';
      const tolerance = cursor < task.until ? 0 : answered ? Number.POSITIVE_INFINITY : rounding;
      if (child.end > cursor + tolerance) continue;
      const end = Math.min(child.end, cursor);
      const start = Math.max(child.start, from);
      if (start >= end) continue;
      if (end < cursor) sections.push({ spanId, start: end, end: cursor });
      stack.push({ node: child, from: start, until: end });
      cursor = start;
    }
    if (cursor > from) sections.push({ spanId, start: from, end: cursor });
  }
  return sections.sort((a, b) => a.start - b.start);
}

/** Nanoseconds on the critical path, by span. */
export function criticalSelfTime(sections: readonly CriticalSection[]): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  for (const { spanId, start, end } of sections) total.set(spanId, (total.get(spanId) ?? 0) + end - start);
  return total;
}

/** Sections by span, for drawing. */
export function sectionsBySpan(sections: readonly CriticalSection[]): ReadonlyMap<string, readonly CriticalSection[]> {
  const result = new Map<string, CriticalSection[]>();
  for (const section of sections) {
    const list = result.get(section.spanId);
    if (list) list.push(section);
    else result.set(section.spanId, [section]);
  }
  return result;
}
