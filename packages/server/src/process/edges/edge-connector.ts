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
import { type Call, type PendingCall, PendingCalls } from './pending-calls.ts';

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
        this.#incoming(callKey(batch, batch.parentSpanId, row), this.#serviceOf(batch, row, services), now);
      }
      if (this.#rows.size >= this.#maxRowsAtOnce) {
        await this.flush();
      }
    }
    return ALL_ACCEPTED;
  }

  #outgoing(batch: SpanBatch, row: number, isMessage: boolean, source: string, now: number): void {
    const call = callOf(batch, row, source);
    this.#peers.look(batch, row);
    // Databases and caches send no spans of their own.
    if (this.#peers.callsDatabase) {
      this.#addPeer(call, this.#peers.peer(batch));
      return;
    }
    const key = callKey(batch, batch.spanId, row);
    const other = this.#pending.get(key);
    const matched = other?.side === 'incoming';
    if (matched) {
      for (const target of isMessage ? other.targets : other.targets.slice(0, 1)) {
        this.#rows.add(call, target, 'service');
      }
    }
    if (matched && !isMessage) {
      this.#pending.delete(key);
    } else {
      const peer = matched ? null : this.#peers.peer(batch);
      this.#giveUp(this.#pending.add(key, { side: 'outgoing', call, peer, isMessage, matched }, now));
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
      this.#rows.add(other.call, target, 'service');
      other.matched = true;
      if (!other.isMessage) {
        this.#pending.delete(key);
      }
    }
  }

  #expire(now: number): void {
    this.#rows.expire(now);
    for (const call of this.#pending.expire(now)) {
      this.#giveUp(call);
    }
  }

  #giveUp(pending: PendingCall | undefined): void {
    if (pending?.side === 'outgoing' && !pending.matched) {
      this.#addPeer(pending.call, pending.peer);
    }
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

function callOf(batch: SpanBatch, row: number, source: string): Call {
  const { start, end } = batch.traceState;
  return {
    source,
    time: spanTimeBucket(batch, row),
    duration: spanDuration(batch, row),
    error: batch.statusCode[row] === STATUS_ERROR,
    weight: spanWeight(batch.bytes, start[row] as number, end[row] as number),
  };
}

const KEY = Buffer.alloc(24);

/** Trace id and a span id of row `row` as one string of 24 characters. */
function callKey(batch: SpanBatch, spanIds: Uint8Array, row: number): string {
  // Together first: two strings joined are flattened again when a map hashes them.
  const { traceId } = batch;
  for (let i = 0; i < 16; i++) {
    KEY[i] = traceId[row * 16 + i] as number;
  }
  for (let i = 0; i < 8; i++) {
    KEY[16 + i] = spanIds[row * 8 + i] as number;
  }
  return KEY.toString('latin1');
}
