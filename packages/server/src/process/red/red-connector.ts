import type { SpanBatch } from '@signalbox/records';
import type { Component } from '../../pipeline/component.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { RedRow } from '../../pipeline/span-metrics-row.ts';
import { KnownTexts } from '../known-texts.ts';
import { RowFlusher } from '../row-flusher.ts';
import { isZeroSpanId, SpanKind, SpanTotals, STATUS_ERROR, spanDuration, spanTimeBucket } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import {
  type Operation,
  OperationNames,
  type OperationNamesLimits,
  type ServiceOperations,
} from './operation-names.ts';

const DEFAULT_LIMITS: OperationNamesLimits = { maxNamesPerService: 2_000, maxNames: 100_000, maxServices: 5_000 };

/** Rows gathered before a sender waits until they are handed on: spans scattered over time make a row each, which weighs many times its span. */
const MAX_ROWS_AT_ONCE = 20_000;

export interface RedConnectorOptions {
  /** Told about rows that could not be stored outside of any `consume`. */
  readonly onError: (error: unknown) => void;
  readonly maxRowsAtOnce?: number;
  readonly limits?: Partial<OperationNamesLimits>;
  /** Milliseconds. */
  readonly now?: () => number;
}

/**
 * Counts every span that it is given into rate, errors and durations per operation (RED).
 *
 * The rows are handed on once a second, so `consume` resolves before they are durable: a crash loses the figures of the last
 * second. A batch that a sender delivers twice is counted twice, since delivery is at least once.
 */
export class RedConnector implements Consumer<SpanBatch>, Component {
  readonly #maxRowsAtOnce: number;
  readonly #names: OperationNames;
  readonly #flusher: RowFlusher<RedRow>;
  readonly #texts = new KnownTexts();
  #cells = new Map<Operation, OperationCells>();
  #cellCount = 0;

  constructor(next: Consumer<readonly RedRow[]>, options: RedConnectorOptions) {
    const { onError, limits, maxRowsAtOnce = MAX_ROWS_AT_ONCE, now = Date.now } = options;
    this.#maxRowsAtOnce = maxRowsAtOnce;
    this.#names = new OperationNames({ ...DEFAULT_LIMITS, ...limits }, now);
    this.#flusher = new RowFlusher({ take: () => this.#take(), next, onError, maxKeptRows: 2 * maxRowsAtOnce });
  }

  async start(): Promise<void> {
    this.#flusher.start();
  }

  /** Hands on what is counted. Consumes no more afterwards. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#flusher.shutdown(deadlineMs);
  }

  /** Hands on what is counted; rejects when it is refused. */
  flush(): Promise<void> {
    return this.#flusher.flush();
  }

  /** Rejects when so much is counted that it must be handed on, and that is refused. */
  async consume(batch: SpanBatch): Promise<ConsumeResult> {
    this.#names.expire();
    const services = this.#services(batch);
    for (let row = 0; row < batch.rowCount; ) {
      row = this.#count(batch, services, row);
      if (this.#cellCount >= this.#maxRowsAtOnce) {
        await this.flush();
      }
    }
    return ALL_ACCEPTED;
  }

  /** Counts the spans from `firstRow` on, all if they make no more rows than allowed at once; gives the row after the last. */
  #count(batch: SpanBatch, services: readonly ServiceOperations[], firstRow: number): number {
    const { bytes, traceState } = batch;
    let row = firstRow;
    for (; row < batch.rowCount && this.#cellCount < this.#maxRowsAtOnce; row++) {
      const service = services[batch.resource[row] as number] as ServiceOperations;
      const operation = this.#names.find(
        service,
        bytes,
        batch.name.start[row] as number,
        batch.name.end[row] as number,
      );
      const kind = batch.kind[row] as number;
      const entry =
        kind === SpanKind.Server || kind === SpanKind.Consumer || isZeroSpanId(batch.parentSpanId, row) ? 1 : 0;
      const error = batch.statusCode[row] === STATUS_ERROR ? 1 : 0;
      const weight = spanWeight(bytes, traceState.start[row] as number, traceState.end[row] as number);
      const key = spanTimeBucket(batch, row) * 32 + kind * 4 + entry * 2 + error;
      this.#totals(operation, key).add(spanDuration(batch, row), weight);
    }
    return row;
  }

  #totals(operation: Operation, key: number): SpanTotals {
    let cells = this.#cells.get(operation);
    if (cells === undefined) {
      cells = { byKey: new Map(), lastKey: -1, last: undefined };
      this.#cells.set(operation, cells);
    }
    if (cells.last !== undefined && cells.lastKey === key) {
      return cells.last;
    }
    let totals = cells.byKey.get(key);
    if (totals === undefined) {
      totals = new SpanTotals();
      cells.byKey.set(key, totals);
      this.#cellCount++;
    }
    cells.lastKey = key;
    cells.last = totals;
    return totals;
  }

  #take(): RedRow[] {
    const cells = this.#cells;
    this.#cells = new Map();
    this.#cellCount = 0;
    return rowsOf(cells);
  }

  /** By row of the resource table. */
  #services(batch: SpanBatch): ServiceOperations[] {
    const { serviceName, rowCount } = batch.resources;
    const services: ServiceOperations[] = [];
    for (let row = 0; row < rowCount; row++) {
      const name = this.#texts.find(batch.bytes, serviceName.start[row] as number, serviceName.end[row] as number);
      services.push(this.#names.service(name));
    }
    return services;
  }
}

/** What was counted of one operation, by time, kind, entry and error in one number. */
interface OperationCells {
  readonly byKey: Map<number, SpanTotals>;
  /** The one that was counted in last: mostly the next span's, too. */
  lastKey: number;
  last: SpanTotals | undefined;
}

function rowsOf(cells: ReadonlyMap<Operation, OperationCells>): RedRow[] {
  const rows: RedRow[] = [];
  for (const [{ service, name }, { byKey }] of cells) {
    for (const [key, totals] of byKey) {
      rows.push({
        time: Math.floor(key / 32),
        service,
        name,
        kind: (key >> 2) & 7,
        entry: (key & 2) !== 0,
        error: (key & 1) !== 0,
        count: totals.count,
        durationSum: totals.durationSum,
        durationMax: totals.durationMax,
        buckets: totals.buckets,
      });
    }
  }
  return rows;
}
