import type { AnyValue, AnyValueMap } from '@opentelemetry/api-logs';

const maxDepth = 8;
/** Of one list or object. */
const maxItems = 256;
/** Of all lists and objects in a value together. */
const maxValues = 2_000;

interface Place {
  readonly depth: number;
  readonly parents: readonly object[];
  readonly budget: { left: number };
}

/**
 * Anything that can be logged as a value that can be encoded: like JSON (`toJSON` is honoured, functions and undefined are
 * left out), but bounded in depth and breadth, safe with cycles, and with bytes and big integers kept.
 */
export function toAnyValue(value: unknown): AnyValue | undefined {
  return convert(value, { depth: 0, parents: [], budget: { left: maxValues } });
}

function convert(value: unknown, place: Place): AnyValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : objectValue(value, place);
    default:
      return undefined;
  }
}

function objectValue(value: object, { depth, parents, budget }: Place): AnyValue | undefined {
  if (value instanceof Uint8Array) return value;
  if (parents.includes(value)) return '[Circular]';
  if (depth >= maxDepth || budget.left <= 0) return Array.isArray(value) ? '[Array]' : '[Object]';
  const inside: Place = { depth: depth + 1, parents: [...parents, value], budget };
  const { toJSON: toJson } = value as { readonly toJSON?: unknown };
  if (typeof toJson === 'function') return convert(Reflect.apply(toJson, value, []), inside);
  if (value instanceof Error)
    return { type: value.name, message: value.message, ...(value.stack !== undefined && { stack: value.stack }) };
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems);
    budget.left -= items.length;
    return items.map((item) => convert(item, inside) ?? null);
  }
  const keys = Object.keys(value);
  const count = Math.min(keys.length, maxItems);
  budget.left -= count;
  const converted: AnyValueMap = {};
  for (let index = 0; index < count; index += 1) {
    const key = keys[index] as string;
    const item = convert((value as Record<string, unknown>)[key], inside);
    if (item === undefined) continue;
    if (key !== '__proto__') converted[key] = item;
    // By assignment it would be something else.
    else Object.defineProperty(converted, key, { value: item, enumerable: true, configurable: true, writable: true });
  }
  return converted;
}
