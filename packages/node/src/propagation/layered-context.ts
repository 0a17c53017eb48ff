import { type Context, INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api';

/**
 * A few values over a base. The API's own context is a Map and three functions, all made anew for each value that is set;
 * with several for each request that is a good part of what a span costs. Reading here is a search in a list, which is
 * as long as there are different keys.
 */
class LayeredContext implements Context {
  readonly #base: Context;
  readonly #keys: readonly symbol[];
  readonly #values: readonly unknown[];

  constructor(base: Context, keys: readonly symbol[], values: readonly unknown[]) {
    this.#base = base;
    this.#keys = keys;
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    const index = this.#keys.indexOf(key);
    return index < 0 ? this.#base.getValue(key) : this.#values[index];
  }

  setValue(key: symbol, value: unknown): Context {
    const index = this.#keys.indexOf(key);
    if (index < 0) return new LayeredContext(this.#base, [...this.#keys, key], [...this.#values, value]);
    return new LayeredContext(this.#base, this.#keys, this.#values.with(index, value));
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined);
  }
}

/** `parent` with these values, each under the key at the same place. Both lists are kept. */
export function contextWith(parent: Context, keys: readonly symbol[], values: readonly unknown[]): Context {
  if (!(parent instanceof LayeredContext)) return new LayeredContext(parent, keys, values);
  return keys.reduce<Context>((context, key, index) => context.setValue(key, values[index]), parent);
}

/** As `trace.setSpan`. */
export function contextWithSpan(parent: Context, span: Span): Context {
  return parent instanceof LayeredContext
    ? parent.setValue(spanKey, span)
    : new LayeredContext(parent, spanKeys, [span]);
}

/** The key under which `set` puts its value: those of the API and of its packages are not exported. */
export function contextKeyOf(set: (context: Context) => unknown): symbol {
  let found = Symbol('never set');
  set({
    getValue: () => undefined,
    setValue(key) {
      found = key;
      return this;
    },
    deleteValue() {
      return this;
    },
  });
  return found;
}

export const spanKey = contextKeyOf((context) => trace.setSpan(context, trace.wrapSpanContext(INVALID_SPAN_CONTEXT)));
const spanKeys = [spanKey];
