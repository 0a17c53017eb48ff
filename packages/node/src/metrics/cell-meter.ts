import type { Attributes, MeterProvider } from '@opentelemetry/api';
import { InstrumentType } from '@opentelemetry/sdk-metrics';
import { version } from '../version.ts';
import type { CellDescriptor } from './cell-storage.ts';
import {
  type CellLookup,
  type CellMeter,
  type CellOptions,
  cellLookup,
  type HistogramCell,
  type HistogramCellOptions,
  maxSeries,
  type SeriesKey,
  type SumCell,
} from './cells.ts';
import { ExemplarMeterProvider } from './exemplar-meter-provider.ts';

const silentHistogram: HistogramCell = { record() {} };
const silentSum: SumCell = { add() {} };

interface Kind {
  readonly type: CellDescriptor['type'];
  readonly unit: string;
}

export interface CellMeterOptions {
  readonly scope: string;
  /** What `prefixed` names begin with. */
  readonly prefix: string;
  /** `false`: every cell is one that does nothing. */
  readonly isOn: boolean;
  readonly warn: (message: string) => void;
}

/**
 * Makes the meters of all instrumentations of one `start`, which share the rule that a name has one kind and one unit: a
 * second kind under the same name is what backends refuse or mix up.
 */
export class CellMeters {
  readonly #provider: MeterProvider;
  readonly #kinds = new Map<string, Kind>();

  constructor(provider: MeterProvider) {
    this.#provider = provider;
  }

  create({ scope, prefix, isOn, warn }: CellMeterOptions): CellMeter {
    const full = (name: string, { prefixed }: CellOptions): string => (prefixed === true ? `${prefix}${name}` : name);
    const isNew = (name: string, kind: Kind): boolean => isOn && this.#claim(name, kind, warn);
    const overflow = (name: string) => () =>
      warn(`${name} has more than ${maxSeries} series; further ones are counted together under otel.metric.overflow`);
    const sums = <Keys extends readonly SeriesKey[]>(
      type: InstrumentType.COUNTER | InstrumentType.UP_DOWN_COUNTER,
      name: string,
      options: CellOptions,
      attributesOf: (...keys: Keys) => Attributes,
    ): CellLookup<Keys, SumCell> => {
      if (!isNew(name, { type, unit: options.unit })) return () => silentSum;
      const create = atFirst(() => this.#sumCells(scope, type, name, options));
      return cellLookup(attributesOf, create, overflow(name));
    };
    return {
      histogram: (shortName, options, attributesOf) => {
        const name = full(shortName, options);
        if (!isNew(name, { type: InstrumentType.HISTOGRAM, unit: options.unit })) return () => silentHistogram;
        const create = atFirst(() => this.#histogramCells(scope, name, options));
        return cellLookup(attributesOf, create, overflow(name));
      },
      counter: (name, options, attributesOf) =>
        sums(InstrumentType.COUNTER, full(name, options), options, attributesOf),
      upDownCounter: (name, options, attributesOf) =>
        sums(InstrumentType.UP_DOWN_COUNTER, full(name, options), options, attributesOf),
    };
  }

  /** Several instrumentations may share an instrument (`http.client.request.duration`), each under its own scope. */
  #claim(name: string, kind: Kind, warn: (message: string) => void): boolean {
    const known = this.#kinds.get(name.toLowerCase());
    if (known === undefined) {
      this.#kinds.set(name.toLowerCase(), kind);
      return true;
    }
    if (known.type === kind.type && known.unit === kind.unit) return true;
    warn(
      `the metric ${name} is a ${known.type.toLowerCase()} in ${known.unit}; a ${kind.type.toLowerCase()} in ${kind.unit} of that name is not recorded`,
    );
    return false;
  }

  #storage(scope: string, instrument: Omit<CellDescriptor, 'exemplars'>) {
    return this.#provider instanceof ExemplarMeterProvider
      ? this.#provider.createCellStorage({ name: scope, version }, instrument)
      : undefined;
  }

  #histogramCells(
    scope: string,
    name: string,
    { boundaries, description, unit }: HistogramCellOptions,
  ): (attributes: Attributes) => HistogramCell {
    const descriptor = { name, description, unit, boundaries, type: InstrumentType.HISTOGRAM } as const;
    const storage = this.#storage(scope, descriptor);
    if (storage !== undefined) return (attributes) => storage.createHistogramCell(attributes);
    const histogram = this.#provider.getMeter(scope, version).createHistogram(name, {
      description,
      unit,
      advice: { explicitBucketBoundaries: [...boundaries] },
    });
    return (attributes) => ({ record: (value, context) => histogram.record(value, attributes, context) });
  }

  #sumCells(
    scope: string,
    type: InstrumentType.COUNTER | InstrumentType.UP_DOWN_COUNTER,
    name: string,
    { description, unit }: CellOptions,
  ): (attributes: Attributes) => SumCell {
    const storage = this.#storage(scope, { name, description, unit, boundaries: [], type });
    if (storage !== undefined) return (attributes) => storage.createSumCell(attributes);
    const meter = this.#provider.getMeter(scope, version);
    const options = { description, unit };
    const sum =
      type === InstrumentType.COUNTER ? meter.createCounter(name, options) : meter.createUpDownCounter(name, options);
    return (attributes) => ({ add: (value) => sum.add(value, attributes) });
  }
}

/** Makes the instrument when the first of its series is wanted: most libraries that are known here are never loaded. */
function atFirst<Cell>(make: () => (attributes: Attributes) => Cell): (attributes: Attributes) => Cell {
  let create: ((attributes: Attributes) => Cell) | undefined;
  return (attributes) => {
    create ??= make();
    return create(attributes);
  };
}
