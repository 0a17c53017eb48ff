import type { Attributes } from '@opentelemetry/api';
import { currentRequestState } from './request-state.ts';

const maxAttributes = 32;
const maxTextLength = 256;

export interface RequestAttributeOptions {
  /**
   * Whether they become attributes of `http.server.request.duration` (default true). Every new combination of values is a
   * new series, and past 2,000 of them all further ones are counted together: leave out what has many values.
   */
  readonly metrics?: boolean;
}

type Value = string | number | boolean;

/** What handlers said of one request, bounded: so many attributes, texts of such a length, no lists. */
export class RequestAttributes {
  readonly #all = new Map<string, Value>();
  readonly #measured = new Set<string>();

  /** Returns what was taken. */
  add(attributes: Attributes, isMeasured: boolean): Record<string, Value> {
    const taken: Record<string, Value> = {};
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
      if (!this.#all.has(name) && this.#all.size >= maxAttributes) continue;
      const kept = typeof value === 'string' ? value.slice(0, maxTextLength) : value;
      this.#all.set(name, kept);
      if (isMeasured) this.#measured.add(name);
      else this.#measured.delete(name);
      taken[name] = kept;
    }
    return taken;
  }

  entries(): Readonly<Record<string, Value>> {
    return Object.fromEntries(this.#all);
  }

  /** Identifies the series that the measured ones make; undefined where there are none. */
  seriesKey(): string | undefined {
    if (this.#measured.size === 0) return undefined;
    return JSON.stringify([...this.#measured].sort().map((name) => [name, this.#all.get(name)]));
  }
}

/** What `seriesKey` stands for. */
export function attributesOfSeriesKey(key: string): Attributes {
  return Object.fromEntries(JSON.parse(key) as [string, Value][]);
}

/**
 * Says something of the request that the current code serves: on its span, in its log record and, unless `metrics` is
 * false, in the metric of its duration. The last value of a name wins; at most 32 names, and 256 characters of a text, are
 * kept; other values than texts, numbers and booleans are left out. Outside a request it does nothing.
 */
export function addRequestAttributes(attributes: Attributes, { metrics = true }: RequestAttributeOptions = {}): void {
  const state = currentRequestState();
  if (state === undefined) return;
  state.attributes ??= new RequestAttributes();
  state.span.setAttributes(state.attributes.add(attributes, metrics));
}
