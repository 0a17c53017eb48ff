import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';

/** Headers of a message: a plain object, or anything with `get` and `set` (`Map`, `Headers`, NATS's). */
export type MessageHeaders = object;

interface Keyed {
  get(key: string): unknown;
  set(key: string, value: string): unknown;
  keys(): Iterable<string>;
}

/** Writes trace context into a message's headers. */
export const headerSetter: TextMapSetter<MessageHeaders> = {
  set(headers, key, value) {
    if (isKeyed(headers)) headers.set(key, value);
    else Reflect.set(headers, key, value);
  },
};

/** Reads trace context from a message's headers; brokers hand on texts as bytes (Kafka) or in lists. */
export const headerGetter: TextMapGetter<MessageHeaders> = {
  get: (headers, key) => textOf(isKeyed(headers) ? headers.get(key) : Reflect.get(headers, key)),
  keys: (headers) => (isKeyed(headers) ? [...headers.keys()] : Object.keys(headers)),
};

function isKeyed(headers: object): headers is Keyed {
  return ['get', 'set', 'keys'].every((method) => typeof Reflect.get(headers, method) === 'function');
}

function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  return first instanceof Uint8Array ? Buffer.from(first).toString() : undefined;
}
