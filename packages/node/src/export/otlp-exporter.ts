import { promisify } from 'node:util';
import { type Deferred, deferred } from '../deferred.ts';
import type { CollectorHealth } from './collector-health.ts';
import { createGrpcTransport } from './create-grpc-transport.ts';
import { createHttpTransport } from './create-http-transport.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import type { OtlpTransport } from './otlp-transport.ts';

const concurrency = 8;
const firstBackoffMillis = 1000;
const maxBackoffMillis = 5000;

/** The official serializers of `@opentelemetry/otlp-transformer` have this shape, ours around them as well. */
export interface OtlpSerializer<Batch> {
  serializeRequest(batch: Batch): Uint8Array | undefined;
  deserializeResponse(body: Uint8Array): unknown;
}

export interface ExportCounts {
  delivered: number;
  dropped: number;
}

/** A request that nobody has answered yet, as needed to send it by other means. */
export interface UnansweredRequest {
  readonly destination: OtlpDestination;
  readonly body: Uint8Array;
  readonly records: number;
}

interface Pending extends UnansweredRequest {
  attempts: number;
  wake: (() => void) | undefined;
}

/**
 * Sends batches of one signal: several requests in flight (a collector that takes 100 ms must not limit the process to
 * ten batches a second), retries for a minute, counts what is lost. The official exporters allow the span processor one
 * request at a time, retry for ten seconds and keep the outcome to themselves, which is why only their serializers are used.
 */
export class OtlpExporter<Batch> {
  readonly counts: ExportCounts = { delivered: 0, dropped: 0 };
  readonly errors: Error[] = [];
  readonly #destination: OtlpDestination;
  readonly #serializer: OtlpSerializer<Batch>;
  readonly #health: CollectorHealth;
  readonly #transport: OtlpTransport;
  readonly #timeoutMillis: number;
  readonly #keep: (request: UnansweredRequest) => boolean;
  readonly #pending = new Set<Pending>();
  #idle: Deferred<void> | undefined;
  #drainDeadline = 0;
  #isClosed = false;
  /** Called whenever a request ends, so that whoever holds a queue can go on. */
  onRoom: () => void = () => {};
  /** Called with the body of a request that has been accepted: nobody reads it any more. */
  onAccepted: (body: Uint8Array) => void = () => {};

  /**
   * Requests that nobody took within `timeoutMillis` are given up. What cannot be delivered because the process ends is
   * offered to `keep`, and is not lost if that answers true.
   */
  constructor(
    destination: OtlpDestination,
    serializer: OtlpSerializer<Batch>,
    health: CollectorHealth,
    timeoutMillis: number,
    keep: (request: UnansweredRequest) => boolean = () => false,
  ) {
    this.#timeoutMillis = timeoutMillis;
    this.#keep = keep;
    this.#destination = destination;
    this.#serializer = serializer;
    this.#health = health;
    this.#transport =
      destination.protocol === 'grpc'
        ? createGrpcTransport(destination)
        : createHttpTransport(destination, concurrency);
  }

  get hasRoom(): boolean {
    return this.#pending.size < concurrency;
  }

  /** Records in requests that have not been answered. */
  get inFlight(): number {
    let records = 0;
    for (const pending of this.#pending) records += pending.records;
    return records;
  }

  /** Serialises `batch` now and sends it; never throws, never rejects. `records` is for the counts. Nothing after `close`. */
  send(batch: Batch, records: number): void {
    if (this.#isClosed) return;
    for (const request of this.prepare(batch, records)) this.#start({ ...request, attempts: 0, wake: undefined });
  }

  /**
   * Serialises `batch` without sending it. One request, unless a record in it cannot be encoded: then the batch is halved
   * until that record is alone, and only it is lost.
   */
  prepare(batch: Batch, records: number): UnansweredRequest[] {
    try {
      const body = this.#serializer.serializeRequest(batch);
      return body === undefined ? [] : [{ destination: this.#destination, body, records }];
    } catch (error) {
      if (!Array.isArray(batch) || batch.length < 2) {
        this.dropUnencodable(records, error);
        return [];
      }
      const middle = batch.length >> 1;
      const halves = [batch.slice(0, middle), batch.slice(middle)] as const;
      return halves.flatMap((half) => this.prepare(half as Batch, half.length));
    }
  }

  /** Resolves when every request has been answered or given up, at the latest `deadlineMillis` (epoch). */
  async drain(deadlineMillis: number): Promise<void> {
    if (this.#pending.size === 0) return;
    this.#drainDeadline = Math.max(this.#drainDeadline, deadlineMillis);
    for (const pending of this.#pending) pending.wake?.();
    this.#idle ??= deferred();
    const expired = deferred<void>();
    // Not unref'd: it is what keeps the process alive for these last requests, whose sockets are.
    const timer = setTimeout(expired.resolve, Math.max(0, deadlineMillis - Date.now()));
    await Promise.race([this.#idle.promise, expired.promise]);
    clearTimeout(timer);
    this.#drainDeadline = 0;
  }

  /** Hands over the requests that nobody has answered; their outcome no longer matters here. */
  takeUnanswered(): UnansweredRequest[] {
    const unanswered = [...this.#pending];
    this.#pending.clear();
    return unanswered;
  }

  /** Gives up what is still pending, counting it as dropped. */
  close(): void {
    this.#isClosed = true;
    for (const pending of this.takeUnanswered())
      if (!this.#keep(pending)) this.#drop(pending.records, new Error('shut down before an answer came'));
    this.#transport.destroy();
  }

  #start(pending: Pending): void {
    this.#pending.add(pending);
    this.#deliver(pending).then(
      () => this.#end(pending),
      (error: unknown) => {
        this.#drop(pending.records, error instanceof Error ? error : new Error(String(error)));
        this.#end(pending);
      },
    );
  }

  async #deliver(pending: Pending): Promise<void> {
    const gzipped = this.#destination.compression === 'gzip';
    const body = gzipped ? await compress(pending.body) : pending.body;
    const giveUpAt = Date.now() + this.#timeoutMillis;
    for (;;) {
      pending.attempts += 1;
      const outcome = await this.#transport.post(body, gzipped);
      if (!this.#pending.has(pending)) return;
      if (outcome.kind === 'accepted') {
        this.#accept(pending, outcome.body);
        this.onAccepted(pending.body);
        return;
      }
      this.#health.failed(this.#destination.url, outcome.problem, outcome.advice);
      const draining = this.#drainDeadline > 0;
      const deadline = draining ? Math.min(this.#drainDeadline, giveUpAt) : giveUpAt;
      const wait = outcome.kind === 'retryable' ? (outcome.retryAfterMillis ?? backoff(pending.attempts)) : 0;
      const hopeless = outcome.kind === 'refused' || (draining && outcome.unreachable) || Date.now() + wait > deadline;
      if (hopeless) {
        if (draining && outcome.kind === 'retryable' && this.#keep(pending)) return;
        this.#drop(pending.records, new Error(`${this.#destination.url}: ${outcome.problem}`));
        return;
      }
      await this.#sleep(pending, wait);
      if (!this.#pending.has(pending)) return;
    }
  }

  #sleep(pending: Pending, millis: number): Promise<void> {
    const { promise, resolve } = deferred<void>();
    const timer = setTimeout(resolve, millis).unref();
    pending.wake = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      pending.wake = undefined;
    });
  }

  #accept(pending: Pending, responseBody: Buffer): void {
    const { rejected, message } = this.#partialSuccess(responseBody);
    this.counts.delivered += Math.max(0, pending.records - rejected);
    this.#health.succeeded(this.#destination.url);
    if (rejected > 0 || message !== '') {
      this.counts.dropped += rejected;
      this.addError(new Error(`${this.#destination.url} rejected ${rejected} records: ${message}`));
    }
  }

  /** https://opentelemetry.io/docs/specs/otlp/#partial-success-1 */
  #partialSuccess(body: Buffer): { rejected: number; message: string } {
    try {
      const response = body.length === 0 ? undefined : this.#serializer.deserializeResponse(body);
      const partial = field(response, 'partialSuccess');
      const rejected = ['rejectedSpans', 'rejectedLogRecords', 'rejectedDataPoints'].map((name) =>
        Number(field(partial, name) ?? 0),
      );
      return { rejected: Math.max(0, ...rejected), message: String(field(partial, 'errorMessage') ?? '') };
    } catch {
      // A 2xx whose body is not OTLP's is still an acceptance.
      return { rejected: 0, message: '' };
    }
  }

  #drop(records: number, error: Error): void {
    this.counts.dropped += records;
    this.#health.dropped(this.#destination.url, records);
    this.addError(error);
  }

  /** Counts records that cannot be sent, and says why. */
  dropUnencodable(records: number, cause: unknown): void {
    this.#drop(records, new Error('a record cannot be encoded', { cause }));
  }

  /** Keeps the first twenty: an endpoint that is down for days must not fill the memory. */
  addError(error: Error): void {
    if (this.errors.length < 20) this.errors.push(error);
  }

  #end(pending: Pending): void {
    this.#pending.delete(pending);
    if (this.#pending.size === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
    this.onRoom();
  }
}

/** Loads what it needs when it is needed: the start of a process does not wait for it. */
function compress(body: Uint8Array): Promise<Buffer> {
  return promisify(process.getBuiltinModule('node:zlib').gzip)(body);
}

function backoff(attempts: number): number {
  const base = Math.min(maxBackoffMillis, firstBackoffMillis * 1.5 ** (attempts - 1));
  return base * (0.8 + Math.random() * 0.4);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
