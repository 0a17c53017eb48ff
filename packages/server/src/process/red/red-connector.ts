import type { SpanBatch } from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { RedRow } from '../../pipeline/span-metrics-row.ts';
import { boundedText } from '../bounded-text.ts';
import { isZeroSpanId, SpanKind, SpanTotals, STATUS_ERROR, spanDuration, spanTimeBucket } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import {
  type Operation,
  OperationNames,
  type OperationNamesLimits,
  type ServiceOperations,
} from './operation-names.ts';

const DEFAULT_LIMITS: OperationNamesLimits = { maxNamesPerService: 2_000, maxNames: 100_000, maxServices: 5_000 };

/** Rows made of a batch before they are handed on: spans scattered over time make a row each, which weighs many times its span. */
const MAX_ROWS_AT_ONCE = 20_000;

export interface RedConnectorOptions {
  readonly maxRowsAtOnce?: number;
  readonly limits?: Partial<OperationNamesLimits>;
  /** Milliseconds. */
  readonly now?: () => number;
}

/**
 * Counts every span that it is given into rate, errors and durations per operation (RED), and hands on the rows of each batch
 * at once: `consume` resolves when they are durable. A batch that a sender delivers twice is counted twice, since delivery
 * is at least once.
 */
export class RedConnector implements Consumer<SpanBatch> {
  readonly #next: Consumer<readonly RedRow[]>;
  readonly #maxRowsAtOnce: number;
  readonly #names: OperationNames;

  constructor(next: Consumer<readonly RedRow[]>, options: RedConnectorOptions = {}) {
    const { limits, maxRowsAtOnce = MAX_ROWS_AT_ONCE, now = Date.now } = options;
    this.#next = next;
    this.#maxRowsAtOnce = maxRowsAtOnce;
    this.#names = new OperationNames({ ...DEFAULT_LIMITS, ...limits }, now);
  }

  async consume(batch: SpanBatch, signal?: AbortSignal): Promise<ConsumeResult> {
    this.#names.expire();
    const services = this.#services(batch);
    for (let row = 0; row < batch.rowCount; ) {
      const { rows, nextRow } = this.#aggregate(batch, services, row);
      // Rows of `red` are ours: what the store says about them is no matter of the sender's rows.
      await this.#next.consume(rows, signal);
      row = nextRow;
    }
    return ALL_ACCEPTED;
  }

  /** Counts the spans from `firstRow` on, all if they make no more rows than allowed at once. */
  #aggregate(batch: SpanBatch, services: readonly ServiceOperations[], firstRow: number) {
    const { bytes } = batch;
    const cells = new Map<Operation, Map<number, SpanTotals>>();
    let cellCount = 0;
    let row = firstRow;
    for (; row < batch.rowCount && cellCount < this.#maxRowsAtOnce; row++) {
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
      const key = spanTimeBucket(batch, row) * 32 + kind * 4 + entry * 2 + error;
      let ofOperation = cells.get(operation);
      if (ofOperation === undefined) {
        ofOperation = new Map();
        cells.set(operation, ofOperation);
      }
      let totals = ofOperation.get(key);
      if (totals === undefined) {
        totals = new SpanTotals();
        ofOperation.set(key, totals);
        cellCount++;
      }
      const { start, end } = batch.traceState;
      totals.add(spanDuration(batch, row), spanWeight(bytes, start[row] as number, end[row] as number));
    }
    return { rows: rowsOf(cells), nextRow: row };
  }

  /** By row of the resource table. */
  #services(batch: SpanBatch): ServiceOperations[] {
    const { serviceName, rowCount } = batch.resources;
    const services: ServiceOperations[] = [];
    for (let row = 0; row < rowCount; row++) {
      const name = boundedText(batch.bytes, serviceName.start[row] as number, serviceName.end[row] as number);
      services.push(this.#names.service(name));
    }
    return services;
  }
}

function rowsOf(cells: ReadonlyMap<Operation, ReadonlyMap<number, SpanTotals>>): RedRow[] {
  const rows: RedRow[] = [];
  for (const [{ service, name }, ofOperation] of cells) {
    for (const [key, totals] of ofOperation) {
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
