import type { SpanBatch } from '@signalbox/records';

export type Decision = readonly [trace: string, sampled: boolean];

/** What was written down, in the order in which it happened. */
export type JournalRecord =
  | { readonly kind: 'spans'; readonly position: number; readonly spans: SpanBatch }
  /** The traces are done with, as far as their spans were written before this. */
  | { readonly kind: 'decisions'; readonly decisions: readonly Decision[] };

/** Where spans that wait for a decision survive a crash. */
export interface TraceJournal {
  /** Whether what is appended survives a crash. */
  readonly isDurable: boolean;
  /** What a former life left; must be read to its end before anything is written. */
  open(): AsyncIterable<JournalRecord>;
  /** Resolves with the record's position once it is durable. */
  appendSpans(spans: SpanBatch): Promise<number>;
  /** Resolves once they are durable. */
  appendDecisions(decisions: readonly Decision[]): Promise<void>;
  /** The spans at this position are done with. */
  release(position: number): void;
  close(): Promise<void>;
}

/** Remembers nothing: for those who turn it off. */
export class NoJournal implements TraceJournal {
  readonly isDurable = false;

  async *open(): AsyncIterable<JournalRecord> {}

  async appendSpans(): Promise<number> {
    return 0;
  }

  async appendDecisions(): Promise<void> {}

  release(): void {}

  async close(): Promise<void> {}
}
