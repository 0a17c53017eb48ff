import type { Attributes } from '@opentelemetry/api';

/**
 * https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/, from an `Error` or from what an error
 * serializer made of it (pino's own gives `type`, `message` and `stack`).
 */
export function exceptionAttributes(error: unknown): Attributes {
  if (typeof error !== 'object' || error === null) return { 'exception.message': String(error) };
  const attributes: Attributes = {};
  const read = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : undefined;
  };
  const type = read('type') ?? read('name');
  if (type !== undefined) attributes['exception.type'] = type;
  const message = read('message');
  if (message !== undefined) attributes['exception.message'] = message;
  const stack = read('stack');
  if (stack !== undefined) attributes['exception.stacktrace'] = stack;
  return attributes;
}
