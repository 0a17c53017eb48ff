import type { SpanBatch } from '@signalbox/records';
import { SpanCursor } from '../ottl/span-cursor.ts';

/** A batch of spans that wait for the decisions about their traces. Its columns and bytes are its own. */
export class HeldBatch {
  readonly spans: SpanBatch;
  /** Its place in the journal. */
  readonly position: number;
  /** Roughly what it takes in memory. */
  readonly size: number;
  /** Traces that have spans here and are not decided, or not handed on. */
  waiting = 0;
  #cursor: SpanCursor | null = null;

  constructor(spans: SpanBatch, position: number, size: number) {
    this.spans = spans;
    this.position = position;
    this.size = size;
  }

  /** For reading; one for all policies. */
  get cursor(): SpanCursor {
    this.#cursor ??= new SpanCursor(this.spans);
    return this.#cursor;
  }
}

export interface TracePart {
  readonly batch: HeldBatch;
  readonly rows: readonly number[];
}

/** The spans of one trace that came so far. */
export class HeldTrace {
  /** Its 16 bytes as Latin-1. */
  readonly id: string;
  /** When it is to be decided, in milliseconds since 1970. */
  readonly decideAt: number;
  readonly parts: TracePart[] = [];
  spanCount = 0;
  /** Its share of what the batches take in memory. */
  bytes = 0;

  constructor(id: string, decideAt: number) {
    this.id = id;
    this.decideAt = decideAt;
  }

  add(batch: HeldBatch, rows: readonly number[]): void {
    this.parts.push({ batch, rows });
    this.spanCount += rows.length;
    this.bytes += (batch.size * rows.length) / batch.spans.rowCount;
  }

  /** Whether `test` is true for one of its spans. The cursor's `row` and `resource` are the span's. */
  some(test: (cursor: SpanCursor) => boolean): boolean {
    for (const { batch, rows } of this.parts) {
      const { cursor } = batch;
      for (const row of rows) {
        cursor.moveTo(row);
        if (test(cursor)) {
          return true;
        }
      }
    }
    return false;
  }
}
