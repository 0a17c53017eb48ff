import { quoteGo } from '@signalbox/query-language';

export const METRIC_NAME = '__name__';

/** Labels that describe a metric rather than tell its series apart: dropped where a result is another metric. */
export const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);

/** The labels of a series: immutable, sorted by name, without empty values. */
export class Labels {
  static readonly EMPTY = new Labels([], []);

  readonly names: readonly string[];
  readonly values: readonly string[];
  #key: string | undefined;
  #withoutMetadata: Labels | undefined;

  /** Use `Labels.from` unless the names are sorted and no value is empty. */
  constructor(names: readonly string[], values: readonly string[]) {
    this.names = names;
    this.values = values;
  }

  static from(entries: Iterable<readonly [string, string]>): Labels {
    const sorted = [...new Map(entries)].filter(([, value]) => value !== '').sort(([a], [b]) => compareBytes(a, b));
    return new Labels(
      sorted.map(([name]) => name),
      sorted.map(([, value]) => value),
    );
  }

  /** Equal for equal labels, and only then. */
  get key(): string {
    if (this.#key === undefined) {
      let key = '';
      for (let i = 0; i < this.names.length; i++) key += `${this.names[i]}\u0000${this.values[i]}\u0001`;
      this.#key = key;
    }
    return this.#key;
  }

  get size(): number {
    return this.names.length;
  }

  /** '' when there is no such label. */
  get(name: string): string {
    const index = this.names.indexOf(name);
    return index < 0 ? '' : this.values[index];
  }

  get metricName(): string {
    return this.get(METRIC_NAME);
  }

  entries(): [string, string][] {
    return this.names.map((name, index) => [name, this.values[index]]);
  }

  /** Without the metric's name, type and unit. */
  withoutMetadata(): Labels {
    this.#withoutMetadata ??= this.filter((name) => !METADATA.has(name));
    return this.#withoutMetadata;
  }

  without(names: ReadonlySet<string>): Labels {
    return this.filter((name) => !names.has(name));
  }

  only(names: ReadonlySet<string>): Labels {
    return this.filter((name) => names.has(name));
  }

  /** With the label set, or removed when the value is ''. */
  with(name: string, value: string): Labels {
    return Labels.from([...this.entries(), [name, value]]);
  }

  filter(keep: (name: string) => boolean): Labels {
    const names: string[] = [];
    const values: string[] = [];
    for (let i = 0; i < this.names.length; i++) {
      if (!keep(this.names[i])) continue;
      names.push(this.names[i]);
      values.push(this.values[i]);
    }
    return names.length === this.names.length ? this : new Labels(names, values);
  }

  /** What tells apart the elements of a vector matching. */
  matching(labels: ReadonlySet<string>, isOn: boolean): Labels {
    return isOn ? this.only(labels) : this.filter((name) => !METADATA.has(name) && !labels.has(name));
  }

  /** The order in which results are shown: label by label, by name, then by value. */
  compare(other: Labels): number {
    const length = Math.min(this.names.length, other.names.length);
    for (let i = 0; i < length; i++) {
      const order = compareBytes(this.names[i], other.names[i]) || compareBytes(this.values[i], other.values[i]);
      if (order !== 0) return order;
    }
    return this.names.length - other.names.length;
  }

  /** `{__name__="up", job="shop"}` */
  toString(): string {
    const parts = this.entries().map(([name, value]) => {
      const label = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quoteGo(name);
      return `${label}=${quoteGo(value)}`;
    });
    return `{${parts.join(', ')}}`;
  }
}

/** Whether a text may be a label's name: any that is not empty, and is text. */
export function isLabelName(name: string): boolean {
  return name !== '' && !/\p{Surrogate}/u.test(name);
}

/** The order of UTF-8 bytes, which is that of code points. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA === unitB) continue;
    // Surrogates stand for code points above all that one unit can hold.
    const isHighA = unitA >= 0xd800 && unitA < 0xe000;
    const isHighB = unitB >= 0xd800 && unitB < 0xe000;
    return isHighA === isHighB ? unitA - unitB : isHighA ? 1 : -1;
  }
  return a.length - b.length;
}
