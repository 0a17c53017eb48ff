import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import type { ConsumeResult, Consumer } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { overloaded } from '../otlp/body-collector.ts';
import { columnBytes } from '../otlp/column-bytes.ts';
import type { IngestRequest } from './http-ingest.ts';

/** Hands a decoded batch on, once what it takes besides the request's body is reserved. */
export async function consumeBatch<Batch extends SpanBatch | LogBatch | MetricBatch>(
  consumer: Consumer<Batch> | undefined,
  batch: Batch,
  { body, reservation, abort }: IngestRequest,
): Promise<ConsumeResult> {
  if (consumer === undefined) throw new SignalboxError('unimplemented', 'Nobody takes this signal here');
  if (!reservation.grow(columnBytes(batch, body))) throw overloaded();
  return await consumer.consume(batch, abort);
}
