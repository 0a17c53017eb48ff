import type { SpanBatch } from '@signalbox/records';
import type { Component } from '../../pipeline/component.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { boundedText } from '../bounded-text.ts';
import { isZeroSpanId, SpanKind, STATUS_ERROR, spanDuration, spanTimeBucket } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import { EdgeRows } from './edge-rows.ts';
import { peerOf } from './peer.ts';
import { type OutgoingCall, type PendingCall, PendingCalls } from './pending-calls.ts';

/** Services that one message is remembered to have reached before its sender's span came. */
const MAX_EARLY_RECEIVERS = 16;

/** Rows gathered before they are handed on: calls scattered over time make a row each, which weighs many times its span. */
const MAX_ROWS_AT_ONCE = 20_000;

export interface EdgeConnectorOptions {
  /** Told about rows that could not be stored outside of any `consume`. */
  readonly onError: (error: unknown) => void;
  /** Calls that wait for their other side; beyond, the oldest no longer waits. */
  readonly maxPending?: number;
  /** How long a call waits for its other side. */
  readonly waitMs?: number;
  /** Targets per source and hour; the rest are `(other)`. */
  readonly maxTargetsPerSource?: number;
  /** Targets of all sources per hour. */
  readonly maxTargets?: number;
  readonly maxRowsAtOnce?: number;
  /** Milliseconds. */
  readonly now?: () => number;
}

/**
 * Makes edges between services of the spans of calls: those of the caller (kind client or producer) and of the service
 * called (server or consumer), whose parent is the caller's span. Either may come first. An edge counts the call as the
 * caller saw it. A call whose other side does not come in time, or that goes to a database or cache, becomes an edge to
 * what the caller's attributes name; if they name nothing, to nowhere.
 *
 * `consume` resolves when the edges that the batch completed are durable. Calls that still wait are lost in a crash.
 */
export class EdgeConnector implements Consumer<SpanBatch>, Component {
  readonly #next: Consumer<readonly EdgeRow[]>;
  readonly #onError: (error: unknown) => void;
  readonly #now: () => number;
  readonly #pending: PendingCalls;
  readonly #rows: EdgeRows;
  readonly #maxRowsAtOnce: number;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(next: Consumer<readonly EdgeRow[]>, options: EdgeConnectorOptions) {
    const { onError, maxPending = 100_000, waitMs = 10_000, now = Date.now } = options;
    const { maxTargetsPerSource = 1_000, maxTargets = 100_000, maxRowsAtOnce = MAX_ROWS_AT_ONCE } = options;
    this.#next = next;
    this.#onError = onError;
    this.#now = now;
    this.#pending = new PendingCalls(maxPending, waitMs);
    this.#rows = new EdgeRows({ maxTargetsPerSource, maxTargets }, now);
    this.#maxRowsAtOnce = maxRowsAtOnce;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#flushing = this.#flushing.then(() => this.flush());
    }, 1_000);
    this.#timer.unref();
  }

  /** Hands on all that waits. Consumes no more afterwards. */
  async shutdown(deadlineMs: number): Promise<void> {
    if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    const flushed = this.#flushing.then(() => this.flush(Number.POSITIVE_INFINITY));
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([flushed, late]);
    clearTimeout(deadline);
  }

  /** Takes no signal: the rows that it hands on also count calls of senders that have their answer already. */
  async consume(batch: SpanBatch): Promise<ConsumeResult> {
    const now = this.#now();
    this.#expire(now);
    const services: (string | undefined)[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      const kind = batch.kind[row];
      const isMessage = kind === SpanKind.Producer;
      if (isMessage || kind === SpanKind.Client) {
        this.#outgoing(batch, row, isMessage, serviceOf(batch, row, services), now);
      } else if ((kind === SpanKind.Server || kind === SpanKind.Consumer) && !isZeroSpanId(batch.parentSpanId, row)) {
        this.#incoming(callKey(batch, batch.parentSpanId, row), serviceOf(batch, row, services), now);
      }
      if (this.#rows.size >= this.#maxRowsAtOnce) {
        await this.#next.consume(this.#rows.take());
      }
    }
    const rows = this.#rows.take();
    if (rows.length > 0) {
      await this.#next.consume(rows);
    }
    return ALL_ACCEPTED;
  }

  /** Hands on the edges of calls whose wait is over; at `now` Infinity, of all. Errors go to `onError`. */
  async flush(now = this.#now()): Promise<void> {
    this.#expire(now);
    const rows = this.#rows.take();
    if (rows.length === 0) {
      return;
    }
    try {
      await this.#next.consume(rows);
    } catch (error) {
      this.#onError(error);
    }
  }

  #outgoing(batch: SpanBatch, row: number, isMessage: boolean, source: string, now: number): void {
    const { start, end } = batch.traceState;
    const call: OutgoingCall = {
      side: 'outgoing',
      source,
      peer: peerOf(batch, row),
      isMessage,
      matched: false,
      time: spanTimeBucket(batch, row),
      duration: spanDuration(batch, row),
      error: batch.statusCode[row] === STATUS_ERROR,
      weight: spanWeight(batch.bytes, start[row] as number, end[row] as number),
    };
    // Databases and caches send no spans of their own.
    if (call.peer?.targetType === 'database' || call.peer?.targetType === 'cache') {
      this.#rows.add(call, call.peer.target, call.peer.targetType);
      return;
    }
    const key = callKey(batch, batch.spanId, row);
    const other = this.#pending.get(key);
    if (other?.side === 'incoming') {
      for (const target of isMessage ? other.targets : other.targets.slice(0, 1)) {
        this.#rows.add(call, target, 'service');
      }
      call.matched = true;
    }
    if (isMessage || !call.matched) {
      this.#giveUp(this.#pending.add(key, call, now));
    } else {
      this.#pending.delete(key);
    }
  }

  #incoming(key: string, target: string, now: number): void {
    const other = this.#pending.get(key);
    if (other === undefined) {
      this.#giveUp(this.#pending.add(key, { side: 'incoming', targets: [target] }, now));
    } else if (other.side === 'incoming') {
      if (other.targets.length < MAX_EARLY_RECEIVERS) {
        other.targets.push(target);
      }
    } else {
      this.#rows.add(other, target, 'service');
      other.matched = true;
      if (!other.isMessage) {
        this.#pending.delete(key);
      }
    }
  }

  #expire(now: number): void {
    for (const call of this.#pending.expire(now)) {
      this.#giveUp(call);
    }
  }

  #giveUp(call: PendingCall | undefined): void {
    if (call?.side === 'outgoing' && !call.matched && call.peer !== null) {
      this.#rows.add(call, call.peer.target, call.peer.targetType);
    }
  }
}

/** Trace id and a span id of row `row` as one string of 24 characters. */
function callKey(batch: SpanBatch, spanIds: Uint8Array, row: number): string {
  return latin1(batch.traceId, row * 16, 16) + latin1(spanIds, row * 8, 8);
}

function latin1(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
}

/** `services` keeps the names of a batch's resources once made. */
function serviceOf(batch: SpanBatch, row: number, services: (string | undefined)[]): string {
  const resource = batch.resource[row] as number;
  const known = services[resource];
  if (known !== undefined) {
    return known;
  }
  const { start, end } = batch.resources.serviceName;
  const name = boundedText(batch.bytes, start[resource] as number, end[resource] as number);
  services[resource] = name;
  return name;
}
