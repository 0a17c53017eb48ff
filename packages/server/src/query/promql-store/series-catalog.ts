import type { KeyValue } from '@signalbox/api-contract';
import type { MetricType } from '@signalbox/records';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import type { WrittenMetric } from '../../store/metric-changes.ts';
import { parseKeyValues, toKeyValues } from '../key-values.ts';
import { seriesInRange } from '../metrics/series-condition.ts';
import { type QueryContext, select, selectColumns } from '../query-context.ts';
import { resourceAttributes } from '../resource-attributes.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { partitionNanos, type TimeRange } from '../time-range.ts';
import { BoundedMap } from './bounded-map.ts';
import { PointMemory } from './point-memory.ts';
import type { Selection } from './select-series.ts';
import { partsOf } from './series-parts.ts';
import { familyName, SeriesDescriber, type StoredSeries } from './stored-series.ts';
import { TableMemory } from './table-memory.ts';
import type { Translation } from './translation.ts';

/** A metric as the store has it: several can make up one family of Prometheus. */
export interface StoredMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly isMonotonic: boolean;
  /** '' unless it was asked for. */
  readonly description: string;
  readonly family: string;
}

export interface FoundSeries {
  /** Of these metrics, by their names in the store. */
  readonly metrics: ReadonlySet<string>;
  readonly series: readonly StoredSeries[];
  /** Asking again would find the same as long as no series are written. */
  readonly isFinal: boolean;
}

export interface CatalogLimits {
  /** Series whose labels are kept in memory, about a kilobyte each. Of what was asked for lately as many references are kept. */
  readonly maxCached: number;
  /** Series that one query may look at. */
  readonly maxSeries: number;
}

/**
 * Which metrics and series there are. The labels of a series never change, so that they are made once and kept. Which series
 * there are in a time is asked once, and again when series of these metrics were written, or always where others may write them.
 */
export class SeriesCatalog {
  readonly translation: Translation;
  readonly #limits: CatalogLimits;
  /** null: a series that has no name in Prometheus. */
  readonly #series: BoundedMap<bigint, StoredSeries | null>;
  readonly #resources: BoundedMap<string, readonly KeyValue[]>;
  readonly #metrics: TableMemory<StoredMetric[]>;
  /** The same with descriptions, of which a metric may get others. */
  readonly #described: TableMemory<StoredMetric[]>;
  readonly #found: TableMemory<FoundSeries>;
  readonly points = new PointMemory(maxPointBytes);
  /** What selectors chose. */
  readonly selections: TableMemory<Selection>;

  constructor(translation: Translation, limits: CatalogLimits) {
    this.translation = translation;
    this.#limits = limits;
    this.#series = new BoundedMap(limits.maxCached);
    this.#resources = new BoundedMap(limits.maxCached);
    const { maxCached } = limits;
    this.#metrics = new TableMemory('series', {
      maxSize: maxCached,
      sizeOf: ({ length }) => length,
      dependsOn: (written) => {
        const named = written.filter((metric) => familyName(metric, translation) !== undefined);
        return (known) => named.some((metric) => !isAmong(known, metric));
      },
    });
    this.#described = new TableMemory('series', { maxSize: maxCached, sizeOf: ({ length }) => length });
    this.#found = new TableMemory('series', {
      maxSize: maxCached,
      sizeOf: ({ series }) => series.length,
      isWhole: ({ isFinal }) => isFinal,
      dependsOn: (written) => (found) => written.some(({ name }) => found.metrics.has(name)),
    });
    this.selections = new TableMemory('series', {
      maxSize: maxCached,
      sizeOf: ({ series }) => series.length,
      isWhole: ({ isFinal }) => isFinal,
      dependsOn: (written) => {
        const names = new Set(written.flatMap((metric) => partNames(metric, translation)));
        return ({ metrics, mayChoose }) => written.some(({ name }) => metrics.has(name)) || [...names].some(mayChoose);
      },
    });
  }

  /** Metrics with a name in Prometheus, of the 6 hours that the range touches; once per description if those are asked for. */
  async metrics(context: QueryContext, range: TimeRange, withDescriptions = false): Promise<StoredMetric[]> {
    if (range.to < 0n) return [];
    const memory = withDescriptions ? this.#described : this.#metrics;
    return await memory.get(context.connection, partitionsOf(range), () =>
      this.#readMetrics(context, range, withDescriptions),
    );
  }

  async #readMetrics(context: QueryContext, range: TimeRange, withDescriptions: boolean): Promise<StoredMetric[]> {
    const parameters = new SqlParameters();
    const rows = await select<[string, number, string, number, string?]>(
      context,
      parameters.statement(
        `SELECT DISTINCT metric_name, type, unit, monotonic${withDescriptions ? ', description' : ''} FROM series WHERE ${seriesInRange(parameters, range)}`,
      ),
      this.#limits.maxSeries,
    );
    return rows.flatMap(([name, number, unit, monotonic, description = '']) => {
      const metric = { name, type: number as MetricType, unit, isMonotonic: monotonic === 1, description };
      const family = familyName(metric, this.translation);
      return family === undefined ? [] : [{ ...metric, family }];
    });
  }

  /** Series of metrics by their names in the store, of the 6 hours that the range touches. */
  async series(context: QueryContext, metrics: readonly string[], range: TimeRange): Promise<FoundSeries> {
    if (metrics.length === 0 || range.to < 0n) return { metrics: new Set(), series: [], isFinal: true };
    return await this.#found.get(context.connection, JSON.stringify([partitionsOf(range), metrics]), () =>
      this.#find(context, metrics, range),
    );
  }

  async #find(context: QueryContext, metrics: readonly string[], range: TimeRange): Promise<FoundSeries> {
    const ids = await this.#ids(context, metrics, range);
    const unknown = ids.filter((id) => this.#series.get(id) === undefined);
    // What is read now is needed now, whether or not there is room to keep it.
    const read = unknown.length === 0 ? undefined : await this.#read(context, metrics, range, unknown);
    const wanted = new Set(metrics);
    const found: StoredSeries[] = [];
    let isFinal = true;
    for (const id of ids) {
      const kept = this.#series.get(id);
      if (kept === undefined) isFinal = false;
      const series = read?.get(id) ?? kept;
      if (series !== undefined && series !== null && wanted.has(series.metric)) found.push(series);
    }
    return { metrics: wanted, series: found, isFinal };
  }

  /** The attributes of resources by their ids. */
  async resources(context: QueryContext, ids: Iterable<string>): Promise<ReadonlyMap<string, readonly KeyValue[]>> {
    const found = new Map<string, readonly KeyValue[]>();
    const unknown: string[] = [];
    for (const id of new Set(ids)) {
      const attributes = this.#resources.get(id);
      if (attributes === undefined) unknown.push(id);
      else found.set(id, attributes);
    }
    for (const [id, attributes] of await resourceAttributes(context, unknown)) {
      this.#resources.set(id, attributes);
      found.set(id, attributes);
    }
    return found;
  }

  async #ids(context: QueryContext, metrics: readonly string[], range: TimeRange): Promise<bigint[]> {
    const parameters = new SqlParameters();
    try {
      const { columns } = await selectColumns(
        context,
        parameters.statement(
          `SELECT DISTINCT series_id FROM series WHERE ${this.#condition(metrics, range, parameters)}`,
        ),
        this.#limits.maxSeries,
      );
      return Array.from((columns.series_id ?? []) as BigUint64Array);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'too_large') throw error;
      throw new SignalboxError('too_large', `The query looks at more than ${this.#limits.maxSeries} series`, {
        cause: error,
        hint: 'Name the metric, or raise promql-max-series.',
      });
    }
  }

  async #read(
    context: QueryContext,
    metrics: readonly string[],
    range: TimeRange,
    ids: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, StoredSeries | null>> {
    const parameters = new SqlParameters();
    const few = ids.length <= idsPerStatement ? ` AND series_id IN ${parameters.uint64s(ids)}` : '';
    type Row = [string, string, number, string, number, number, string, string, string, string, ...unknown[]];
    const rows = await select<Row>(
      context,
      parameters.statement(
        `SELECT series_id, metric_name, type, unit, temporality, monotonic, scope_name, scope_version, scope_attributes, resource_id, ${attributeColumns('attributes').join(', ')}
FROM series
WHERE ${this.#condition(metrics, range, parameters)}${few}
LIMIT 1 BY series_id`,
      ),
      this.#limits.maxSeries,
    );
    const resources = await this.resources(
      context,
      rows.map((row) => row[9]),
    );
    const read = new Map<bigint, StoredSeries | null>();
    const describer = new SeriesDescriber(this.translation);
    const nothing: readonly KeyValue[] = [];
    for (const row of rows) {
      const [id, metric, type, unit, temporality, monotonic, scopeName, scopeVersion, scope, resourceId, ...cells] =
        row;
      const series = describer.describe({
        id: BigInt(id),
        metric,
        type: type as MetricType,
        unit,
        isDelta: temporality === deltaTemporality,
        isMonotonic: monotonic === 1,
        scopeName,
        scopeVersion,
        scopeAttributes: parseKeyValues(scope),
        attributes: toKeyValues(cells),
        resourceId,
        resource: resources.get(resourceId) ?? nothing,
      });
      read.set(BigInt(id), series ?? null);
      // Without its resource, which is written a moment earlier or was dropped, it lacks labels: it is asked for again.
      if (resources.has(resourceId) || resourceId === '0') this.#series.set(BigInt(id), series ?? null);
    }
    return read;
  }

  #condition(metrics: readonly string[], range: TimeRange, parameters: SqlParameters): string {
    const named = metrics.length <= namesPerStatement ? `metric_name IN ${parameters.strings(metrics)} AND ` : '';
    return `${named}${seriesInRange(parameters, range)}`;
  }
}

/** The names in Prometheus that a metric's series have. */
function partNames(metric: WrittenMetric, translation: Translation): string[] {
  const family = familyName(metric, translation);
  return family === undefined ? [] : partsOf(metric.type, family).map(({ name }) => name);
}

function isAmong(known: readonly StoredMetric[], written: WrittenMetric): boolean {
  return known.some(
    ({ name, type, unit, isMonotonic }) =>
      name === written.name && type === written.type && unit === written.unit && isMonotonic === written.isMonotonic,
  );
}

/** Of points that are kept after they were read. */
const maxPointBytes = 128 * 1024 * 1024;

/** Ranges in the same partitions have the same series. */
export function partitionsOf({ from, to }: TimeRange): string {
  return `${from / partitionNanos} ${to < 0n ? 'nothing' : to / partitionNanos}`;
}

/** A statement's text, parameters included, has at most 256 KiB. */
const idsPerStatement = 5_000;
const namesPerStatement = 500;

/** OTLP's number of it. */
const deltaTemporality = 1;
