import { DEFAULT_DECODE_LIMITS, decodeTraces, encodeTraces } from '@signalbox/otlp';
import type { SpanBatch } from '@signalbox/records';
import type { QueueEntry, RecordQueue } from '../../pipeline/queue/record-queue.ts';
import type { Decision, JournalRecord, TraceJournal } from './trace-journal.ts';

const KIND_SPANS = 1;
const KIND_DECISIONS = 2;
const ID_BYTES = 16;
const DECISION_BYTES = ID_BYTES + 1;
/** What was read from a sender once is read again, whatever its limits were. */
const LIMITS = { maxValueDepth: DEFAULT_DECODE_LIMITS.maxValueDepth * 4 };

/**
 * A journal in a queue of the pipeline. Decisions hold the files that they stand in, so when files take much more than what waits
 * in them, all decisions that are remembered are written once more in one piece, and the older entries are done.
 */
export class QueueJournal implements TraceJournal {
  readonly isDurable = true;
  readonly #open: () => RecordQueue;
  readonly #remembered: () => Iterable<Decision>;
  #queue: RecordQueue | null = null;
  readonly #spans = new Map<number, QueueEntry>();
  #decisions: QueueEntry[] = [];
  #liveBytes = 0;
  #snapshotBytes = 0;
  #nextPosition = 1;

  /** `remembered` gives the decisions that late spans follow. */
  constructor(open: () => RecordQueue, remembered: () => Iterable<Decision>) {
    this.#open = open;
    this.#remembered = remembered;
  }

  async *open(): AsyncIterable<JournalRecord> {
    const queue = this.#open();
    this.#queue = queue;
    for (let entry = queue.take(); entry !== null; entry = queue.take()) {
      const bytes = await queue.read(entry);
      if (entry.kind === KIND_DECISIONS) {
        this.#decisions.push(entry);
        yield { kind: 'decisions', decisions: decodeDecisions(bytes) };
      } else {
        yield {
          kind: 'spans',
          position: this.#keep(entry),
          spans: decodeTraces(bytes, 'protobuf', { limits: LIMITS }).batch,
        };
      }
    }
  }

  async appendSpans(spans: SpanBatch): Promise<number> {
    const entry = await this.#append(KIND_SPANS, spans.rowCount, encodeTraces(spans));
    return this.#keep(entry);
  }

  async appendDecisions(decisions: readonly Decision[]): Promise<void> {
    if (decisions.length === 0) {
      return;
    }
    this.#decisions.push(await this.#append(KIND_DECISIONS, 0, encodeDecisions(decisions)));
    const { bytes = 0, maxBytes = 0 } = this.#queue ?? {};
    if (bytes > 2 * this.#liveBytes + 8 * this.#snapshotBytes + maxBytes / 8) {
      await this.#compact();
    }
  }

  release(position: number): void {
    const entry = this.#spans.get(position);
    if (entry !== undefined) {
      this.#spans.delete(position);
      this.#liveBytes -= entry.size;
      this.#queue?.done(entry);
    }
  }

  async close(): Promise<void> {
    await this.#queue?.close();
    this.#queue = null;
  }

  #keep(entry: QueueEntry): number {
    const position = this.#nextPosition++;
    this.#spans.set(position, entry);
    this.#liveBytes += entry.size;
    return position;
  }

  async #compact(): Promise<void> {
    const older = this.#decisions;
    this.#decisions = [];
    const snapshot = await this.#append(KIND_DECISIONS, 0, encodeDecisions([...this.#remembered()]));
    this.#snapshotBytes = snapshot.size;
    this.#decisions.unshift(snapshot);
    for (const entry of older) {
      this.#queue?.done(entry);
    }
  }

  /** Entries are taken in the order in which they were appended, and appends resolve in that order too. */
  async #append(kind: number, count: number, bytes: Uint8Array): Promise<QueueEntry> {
    const queue = this.#queue;
    if (queue === null) {
      throw new Error('bug: a journal is written to before it was opened, or after it was closed');
    }
    await queue.append(kind, count, bytes);
    const entry = queue.take();
    if (entry?.kind !== kind || entry.size !== bytes.length) {
      throw new Error('bug: an entry of the journal was taken by somebody else');
    }
    return entry;
  }
}

function encodeDecisions(decisions: readonly Decision[]): Uint8Array {
  const bytes = Buffer.alloc(decisions.length * DECISION_BYTES);
  for (const [i, [trace, sampled]] of decisions.entries()) {
    bytes.write(trace, i * DECISION_BYTES, 'latin1');
    bytes[i * DECISION_BYTES + ID_BYTES] = sampled ? 1 : 0;
  }
  return bytes;
}

function decodeDecisions(bytes: Uint8Array): Decision[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / DECISION_BYTES) }, (_, i) => [
    buffer.toString('latin1', i * DECISION_BYTES, i * DECISION_BYTES + ID_BYTES),
    buffer[i * DECISION_BYTES + ID_BYTES] === 1,
  ]);
}
