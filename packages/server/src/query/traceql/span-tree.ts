import type { TraceSpan } from './trace-span.ts';

const KIND_SERVER = 2;
const KIND_CLIENT = 3;

/**
 * Numbers the spans of one whole trace depth first, so that a descendant's interval lies within its ancestor's. Spans
 * whose ancestors don't lead to a root (an ancestor is missing, or they go round in a circle) keep zeros: structural
 * operators never match them.
 *
 * Two spans may share an id (Zipkin's client and server): the children of a client are those of its server, whose parent
 * is the client.
 * @param kindOf OTLP's number of a span's kind
 */
export function numberSpans(spans: readonly TraceSpan[], kindOf: (span: TraceSpan) => number): void {
  const byId = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const same = byId.get(span.id);
    if (same === undefined) byId.set(span.id, [span]);
    else same.push(span);
  }
  const children = new Map<TraceSpan, TraceSpan[]>();
  const roots: TraceSpan[] = [];
  for (const span of spans) {
    const parent = parentOf(span, byId, kindOf);
    if (parent === undefined) {
      if (span.parentId === '') roots.push(span);
      continue;
    }
    parent.childCount++;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [span]);
    else siblings.push(span);
  }
  let next = 1;
  for (const root of roots) {
    root.left = next++;
    root.parentLeft = -1;
    // Not by recursion: a trace may be as deep as it is long.
    const path = [{ span: root, at: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const child = children.get(top.span)?.[top.at++];
      if (child === undefined) {
        top.span.right = next++;
        path.pop();
      } else {
        child.left = next++;
        child.parentLeft = top.span.left;
        path.push({ span: child, at: 0 });
      }
    }
  }
}

function parentOf(
  span: TraceSpan,
  byId: ReadonlyMap<string, readonly TraceSpan[]>,
  kindOf: (span: TraceSpan) => number,
): TraceSpan | undefined {
  const sharing = byId.get(span.id) ?? [];
  if (sharing.length > 1 && kindOf(span) === KIND_SERVER) {
    const client = sharing.find((other) => other !== span && kindOf(other) === KIND_CLIENT);
    if (client !== undefined) return client;
  }
  if (span.parentId === '') return undefined;
  const candidates = byId.get(span.parentId) ?? [];
  if (candidates.length < 2) return candidates[0];
  return candidates.find((other) => kindOf(other) === KIND_SERVER) ?? candidates[0];
}
