import { type AnyBatch, compactBatch } from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';

/** Keeps a copy of every batch, and answers as it is told to. */
export class RecordingConsumer<Batch extends AnyBatch> implements Consumer<Batch> {
  readonly batches: Batch[] = [];
  /** Decides the next answers: a result, a refusal to throw, or a promise of them. */
  respond: (batch: Batch, signal: AbortSignal | undefined) => ConsumeResult | Promise<ConsumeResult> = () =>
    ALL_ACCEPTED;

  async consume(batch: Batch, signal?: AbortSignal): Promise<ConsumeResult> {
    const result = await this.respond(batch, signal);
    this.batches.push(compactBatch(batch));
    return result;
  }
}
