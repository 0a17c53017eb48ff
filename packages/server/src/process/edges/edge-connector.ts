import type { SpanBatch } from '@signalbox/records';
import type { Component } from '../../pipeline/component.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { KnownTexts } from '../known-texts.ts';
import { RowFlusher } from '../row-flusher.ts';
import { isZeroSpanId, SpanKind, STATUS_ERROR, spanDuration, spanTimeBucket } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import { EdgeRows } from './edge-rows.ts';
import { type Peer, PeerFinder } from './peer.ts';
import { type Call, PendingCalls, Waiting } from './pending-calls.ts';

/** Services that one message is remembered to have reached before its sender's span came. */
const MAX_EARLY_RECEIVERS = 16;

/** Rows gathered before a sender waits until they are handed on: calls scattered over time make a row each, which weighs many times its span. */
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
 * Edges are handed on once a second, so `consume` resolves before they are durable: a crash loses those of the last second, and
 * calls that still wait.
 */
export class EdgeConnector implements Consumer<SpanBatch>, Component {
  readonly #now: () => number;
  readonly #peers = new PeerFinder();
  readonly #services = new KnownTexts();
  readonly #pending: PendingCalls;
  /** The call that is looked at: of every other span, too many for an object each. */
  readonly #call: Call = { source: '', time: 0, duration: 0, error: false, weight: 0 };
  readonly #rows: EdgeRows;
  readonly #maxRowsAtOnce: number;
  readonly #flusher: RowFlusher<EdgeRow>;

  constructor(next: Consumer<readonly EdgeRow[]>, options: EdgeConnectorOptions) {
    const { onError, maxPending = 100_000, waitMs = 10_000, now = Date.now } = options;
    const { maxTargetsPerSource = 1_000, maxTargets = 100_000, maxRowsAtOnce = MAX_ROWS_AT_ONCE } = options;
    this.#now = now;
    this.#pending = new PendingCalls(maxPending, waitMs);
    this.#rows = new EdgeRows({ maxTargetsPerSource, maxTargets });
    this.#maxRowsAtOnce = maxRowsAtOnce;
    const take = () => {
      this.#expire(this.#now());
      return this.#rows.take();
    };
    this.#flusher = new RowFlusher({ take, next, onError, maxKeptRows: 2 * maxRowsAtOnce });
  }

  async start(): Promise<void> {
    this.#flusher.start();
  }

  /** Hands on all that waits. Consumes no more afterwards. */
  shutdown(deadlineMs: number): Promise<void> {
    this.#expire(Number.POSITIVE_INFINITY);
    return this.#flusher.shutdown(deadlineMs);
  }

  /** Hands on the edges that are complete, and those of calls whose wait is over; rejects when they are refused. */
  flush(): Promise<void> {
    return this.#flusher.flush();
  }

  /** Rejects when there are so many edges that they must be handed on, and that is refused. */
  async consume(batch: SpanBatch): Promise<ConsumeResult> {
    const now = this.#now();
    this.#expire(now);
    const services: (string | undefined)[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      const kind = batch.kind[row];
      const isMessage = kind === SpanKind.Producer;
      if (isMessage || kind === SpanKind.Client) {
        this.#outgoing(batch, row, isMessage, this.#serviceOf(batch, row, services), now);
      } else if ((kind === SpanKind.Server || kind === SpanKind.Consumer) && !isZeroSpanId(batch.parentSpanId, row)) {
        this.#incoming(batch, row, this.#serviceOf(batch, row, services), now);
      }
      if (this.#rows.size >= this.#maxRowsAtOnce) {
        await this.flush();
      }
    }
    return ALL_ACCEPTED;
  }

  #outgoing(batch: SpanBatch, row: number, isMessage: boolean, source: string, now: number): void {
    const pending = this.#pending;
    const call = this.#call;
    this.#peers.look(batch, row);
    // Databases and caches send no spans of their own.
    if (this.#peers.callsDatabase) {
      readCall(batch, row, source, call);
      this.#addPeer(call, this.#peers.peer(batch));
      return;
    }
    const other = pending.find(batch, batch.spanId, row);
    const matched = other >= 0 && pending.waiting(other) === Waiting.Receiver;
    readCall(batch, row, source, call);
    if (matched) {
      this.#rows.add(call, pending.target(other) as string, 'service');
      for (const target of isMessage ? pending.moreTargets(other) : []) {
        this.#rows.add(call, target, 'service');
      }
    }
    if (other >= 0) {
      // Also a span that came before, and comes again: it waits anew.
      pending.remove(other);
    }
    if (matched && !isMessage) {
      return;
    }
    const peer = matched ? null : this.#peers.peer(batch);
    if (pending.isFull) {
      this.#giveUp(pending.oldest);
      readCall(batch, row, source, call);
    }
    const place = pending.addCall(isMessage ? Waiting.Message : Waiting.Call, call, peer, now);
    if (matched) {
      pending.setMatched(place);
    }
  }

  #incoming(batch: SpanBatch, row: number, target: string, now: number): void {
    const pending = this.#pending;
    const other = pending.find(batch, batch.parentSpanId, row);
    if (other < 0) {
      if (pending.isFull) {
        this.#giveUp(pending.oldest);
      }
      pending.addReceiver(target, now);
    } else if (pending.waiting(other) === Waiting.Receiver) {
      pending.addTarget(other, target, MAX_EARLY_RECEIVERS);
    } else {
      pending.readCall(other, this.#call);
      this.#rows.add(this.#call, target, 'service');
      if (pending.waiting(other) === Waiting.Message) {
        pending.setMatched(other);
      } else {
        pending.remove(other);
      }
    }
  }

  #expire(now: number): void {
    this.#rows.expire(now);
    while (this.#pending.isOldestOver(now)) {
      this.#giveUp(this.#pending.oldest);
    }
  }

  /** Removes what waits there; a caller's span that nobody answered counts as a call to what it names. */
  #giveUp(place: number): void {
    const pending = this.#pending;
    if (pending.waiting(place) !== Waiting.Receiver && !pending.isMatched(place)) {
      const target = pending.target(place);
      if (target !== null) {
        pending.readCall(place, this.#call);
        this.#rows.add(this.#call, target, pending.targetType(place));
      }
    }
    pending.remove(place);
  }

  #addPeer(call: Call, peer: Peer | null): void {
    if (peer !== null) {
      this.#rows.add(call, peer.target, peer.targetType);
    }
  }

  /** `services` keeps the names of a batch's resources once made. */
  #serviceOf(batch: SpanBatch, row: number, services: (string | undefined)[]): string {
    const resource = batch.resource[row] as number;
    const known = services[resource];
    if (known !== undefined) {
      return known;
    }
    const { start, end } = batch.resources.serviceName;
    const name = this.#services.find(batch.bytes, start[resource] as number, end[resource] as number);
    services[resource] = name;
    return name;
  }
}

function readCall(batch: SpanBatch, row: number, source: string, call: Call): void {
  const { start, end } = batch.traceState;
  call.source = source;
  call.time = spanTimeBucket(batch, row);
  call.duration = spanDuration(batch, row);
  call.error = batch.statusCode[row] === STATUS_ERROR;
  call.weight = spanWeight(batch.bytes, start[row] as number, end[row] as number);
}
