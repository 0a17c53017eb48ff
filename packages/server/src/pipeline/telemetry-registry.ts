import type { Counter, Histogram, Telemetry, TelemetryAttributes } from './telemetry.ts';

/** One series of an instrument as it stands now. */
export type TelemetrySeries = { readonly attributes: TelemetryAttributes } & (
  | { readonly value: number }
  | {
      readonly count: number;
      readonly sum: number;
      /** One more than bounds. */
      readonly buckets: readonly number[];
    }
);

export interface TelemetryMetric {
  readonly name: string;
  readonly description: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Of a histogram. */
  readonly bounds: readonly number[];
  readonly series: readonly TelemetrySeries[];
}

interface Instrument {
  readonly description: string;
  readonly kind: TelemetryMetric['kind'];
  readonly bounds: readonly number[];
  readonly series: Map<string, Cell>;
}

type Cell = CounterCell | GaugeCell | HistogramCell;

/** Keeps what the program counts about itself, for whoever shows it. Nothing in it grows with traffic. */
export class TelemetryRegistry implements Telemetry {
  readonly #instruments = new Map<string, Instrument>();

  counter(name: string, description: string, attributes: TelemetryAttributes = {}): Counter {
    return this.#cell(name, description, 'counter', [], attributes, () => new CounterCell(attributes));
  }

  gauge(name: string, description: string, read: () => number, attributes: TelemetryAttributes = {}): void {
    this.#cell(name, description, 'gauge', [], attributes, () => new GaugeCell(attributes, read));
  }

  histogram(
    name: string,
    description: string,
    bounds: readonly number[],
    attributes: TelemetryAttributes = {},
  ): Histogram {
    return this.#cell(name, description, 'histogram', bounds, attributes, () => new HistogramCell(attributes, bounds));
  }

  /** All instruments by name, in alphabetical order. */
  collect(): TelemetryMetric[] {
    return [...this.#instruments]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { description, kind, bounds, series }]) => ({
        name,
        description,
        kind,
        bounds,
        series: Array.from(series.values(), (cell) => cell.read()),
      }));
  }

  /** Sum of all series of a counter; 0 when there is none. */
  sum(name: string): number {
    let sum = 0;
    for (const cell of this.#instruments.get(name)?.series.values() ?? []) {
      if (cell instanceof CounterCell) sum += cell.value;
    }
    return sum;
  }

  #cell<C extends Cell>(
    name: string,
    description: string,
    kind: TelemetryMetric['kind'],
    bounds: readonly number[],
    attributes: TelemetryAttributes,
    create: () => C,
  ): C {
    let instrument = this.#instruments.get(name);
    if (instrument === undefined) {
      instrument = { description, kind, bounds, series: new Map() };
      this.#instruments.set(name, instrument);
    } else if (instrument.kind !== kind) {
      throw new TypeError(`${name} is a ${instrument.kind} already`);
    }
    const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = instrument.series.get(key);
    if (known !== undefined) return known as C;
    const cell = create();
    instrument.series.set(key, cell);
    return cell;
  }
}

class CounterCell implements Counter {
  value = 0;
  readonly #attributes: TelemetryAttributes;

  constructor(attributes: TelemetryAttributes) {
    this.#attributes = attributes;
  }

  add(amount: number): void {
    this.value += amount;
  }

  read(): TelemetrySeries {
    return { attributes: this.#attributes, value: this.value };
  }
}

class GaugeCell {
  readonly #attributes: TelemetryAttributes;
  readonly #read: () => number;

  constructor(attributes: TelemetryAttributes, read: () => number) {
    this.#attributes = attributes;
    this.#read = read;
  }

  read(): TelemetrySeries {
    return { attributes: this.#attributes, value: this.#read() };
  }
}

class HistogramCell implements Histogram {
  readonly #attributes: TelemetryAttributes;
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #sum = 0;
  #count = 0;

  constructor(attributes: TelemetryAttributes, bounds: readonly number[]) {
    this.#attributes = attributes;
    this.#bounds = bounds;
    this.#buckets = Array(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = found < 0 ? this.#bounds.length : found;
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#sum += value;
    this.#count += 1;
  }

  read(): TelemetrySeries {
    return { attributes: this.#attributes, count: this.#count, sum: this.#sum, buckets: [...this.#buckets] };
  }
}
