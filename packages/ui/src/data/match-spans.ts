import { printValue } from './attribute-value.ts';
import type { WaterfallNode } from './waterfall.ts';

/** Spans in which all words occur, in any case: in name, service, span id, status, event names, attribute keys or values. In drawing order. */
export function matchSpans(
  nodes: readonly WaterfallNode[],
  search: string,
): { list: WaterfallNode[]; ids: ReadonlySet<string> } {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return { list: [], ids: new Set() };
  const list = nodes.filter((node) => {
    const text = searchText(node);
    return words.every((word) => text.includes(word));
  });
  return { list, ids: new Set(list.map(({ span }) => span.spanId)) };
}

const texts = new WeakMap<WaterfallNode, string>();
const maxValue = 2000;

function searchText(node: WaterfallNode): string {
  const known = texts.get(node);
  if (known !== undefined) return known;
  const { span } = node;
  const parts = [
    span.name,
    span.service,
    span.spanId,
    span.kind,
    span.status.message,
    span.status.code === 'ERROR' ? 'error' : '',
  ];
  for (const { key, value } of span.attributes) parts.push(key, printValue(value).slice(0, maxValue));
  for (const event of span.events) {
    parts.push(event.name);
    for (const { key, value } of event.attributes) parts.push(key, printValue(value).slice(0, maxValue));
  }
  const text = parts.join('\n').toLowerCase();
  texts.set(node, text);
  return text;
}
