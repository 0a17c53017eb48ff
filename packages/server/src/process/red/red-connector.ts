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

export interface RedConnectorOptions {
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
  readonly #names: OperationNames;

  constructor(next: Consumer<readonly RedRow[]>, { limits, now = Date.now }: RedConnectorOptions = {}) {
    this.#next = next;
    this.#names = new OperationNames({ ...DEFAULT_LIMITS, ...limits }, now);
  }

  async consume(batch: SpanBatch, signal?: AbortSignal): Promise<ConsumeResult> {
    if (batch.rowCount === 0) {
      return ALL_ACCEPTED;
    }
    // Rows of `red` are ours: what the store says about them is no matter of the sender's rows.
    await this.#next.consume(this.#aggregate(batch), signal);
    return ALL_ACCEPTED;
  }

  #aggregate(batch: SpanBatch): RedRow[] {
    this.#names.expire();
    const { bytes } = batch;
    const services = this.#services(batch);
    const cells = new Map<Operation, Map<number, SpanTotals>>();
    for (let row = 0; row < batch.rowCount; row++) {
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
      }
      const { start, end } = batch.traceState;
      totals.add(spanDuration(batch, row), spanWeight(bytes, start[row] as number, end[row] as number));
    }
    return rowsOf(cells);
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
