import type { AnyValue } from '@opentelemetry/api-logs';

const maxDepth = 8;
const maxItems = 256;

/**
 * Anything that can be logged as a value that can be encoded: like JSON (`toJSON` is honoured, functions and undefined are
 * left out), but bounded in depth and breadth, safe with cycles, and with bytes and big integers kept.
 */
export function toAnyValue(value: unknown, depth = 0, parents: readonly object[] = []): AnyValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : objectValue(value, depth, parents);
    default:
      return undefined;
  }
}

function objectValue(value: object, depth: number, parents: readonly object[]): AnyValue | undefined {
  if (value instanceof Uint8Array) return value;
  if (parents.includes(value)) return '[Circular]';
  if (depth >= maxDepth) return Array.isArray(value) ? '[Array]' : '[Object]';
  const inside = [...parents, value];
  const toJson: unknown = Reflect.get(value, 'toJSON');
  if (typeof toJson === 'function') return toAnyValue(Reflect.apply(toJson, value, []), depth + 1, inside);
  if (value instanceof Error)
    return { type: value.name, message: value.message, ...(value.stack !== undefined && { stack: value.stack }) };
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => toAnyValue(item, depth + 1, inside) ?? null);
  const result: Record<string, AnyValue> = {};
  for (const [key, item] of Object.entries(value).slice(0, maxItems)) {
    const converted = toAnyValue(item, depth + 1, inside);
    if (converted !== undefined) result[key] = converted;
  }
  return result;
}
