import { compactBatch, concatBatches, type SpanBatch, selectSpans } from '@signalbox/records';
import type { Consumer } from '../../pipeline/consumer.ts';
import { type SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import type { HeldBatch, HeldTrace } from './held-trace.ts';

/** Rows of one batch that goes on. */
const MAX_ROWS = 8_192;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/** Traces that were decided to be sampled at one time. */
interface Release {
  readonly traces: readonly HeldTrace[];
  /** Made one by one: together they take as much memory as the spans themselves. */
  readonly chunks: Iterator<SpanBatch, undefined>;
  /** The one that is to be sent; undefined: all were. */
  chunk: SpanBatch | undefined;
}

export interface OutboxEvents {
  /** All spans of the traces were accepted, or refused for good. */
  done(traces: readonly HeldTrace[]): Promise<void>;
  /** So many spans were refused for good. */
  refused(spans: number, error: SignalboxError): void;
}

/** Hands sampled traces on in the order of their decisions. What is refused for now is tried again until it is accepted. */
export class ReleaseOutbox {
  readonly #next: Consumer<SpanBatch>;
  readonly #events: OutboxEvents;
  readonly #releases: Release[] = [];
  #sending: Promise<void> | null = null;
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(next: Consumer<SpanBatch>, events: OutboxEvents) {
    this.#next = next;
    this.#events = events;
  }

  /** Decided traces whose spans wait to be accepted. */
  get traceCount(): number {
    return this.#releases.reduce((sum, { traces }) => sum + traces.length, 0);
  }

  add(traces: readonly HeldTrace[]): void {
    if (traces.length === 0) {
      return;
    }
    const chunks = chunksOf(traces);
    this.#releases.push({ traces, chunks, chunk: undefined });
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
  }

  /** Resolves when nothing waits any more, or after `deadlineMs`; then nothing more is sent. */
  async drain(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#sending ?? Promise.resolve(), late]);
    clearTimeout(timer);
    this.#stopped = true;
    this.#wake?.();
  }

  async #send(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    for (let release = this.#releases[0]; release !== undefined && !this.#stopped; release = this.#releases[0]) {
      const chunk = release.chunk ?? release.chunks.next().value;
      release.chunk = chunk;
      if (chunk === undefined) {
        await this.#events.done(release.traces);
        this.#releases.shift();
        continue;
      }
      try {
        await this.#next.consume(chunk);
      } catch (thrown) {
        const error = toSignalboxError(thrown);
        if (error.retryable) {
          await this.#pause(error.retryAfterMs ?? retryMs);
          retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
          continue;
        }
        this.#events.refused(chunk.rowCount, error);
      }
      retryMs = FIRST_RETRY_MS;
      release.chunk = undefined;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}

/** The spans of the traces in batches of about MAX_ROWS rows. */
function* chunksOf(traces: readonly HeldTrace[]): Generator<SpanBatch, undefined> {
  const rowsOf = new Map<HeldBatch, number[]>();
  for (const { parts } of traces) {
    for (const { batch, rows } of parts) {
      const known = rowsOf.get(batch);
      if (known === undefined) {
        rowsOf.set(batch, [...rows]);
      } else {
        known.push(...rows);
      }
    }
  }
  let selected: SpanBatch[] = [];
  let count = 0;
  for (const [batch, rows] of rowsOf) {
    // Compact: joining copies all bytes of a batch, and those of dropped traces are not wanted.
    selected.push(compactBatch(selectSpans(batch.spans, Uint32Array.from(rows).sort())));
    count += rows.length;
    if (count >= MAX_ROWS) {
      yield concatBatches(selected as [SpanBatch, ...SpanBatch[]]);
      selected = [];
      count = 0;
    }
  }
  if (selected.length > 0) {
    yield concatBatches(selected as [SpanBatch, ...SpanBatch[]]);
  }
  return undefined;
}
