import type { SpanBatch } from '@signalbox/records';
import { isZeroId, SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import type { Rejections } from '../wire/rejections.ts';

/**
 * Ends the span under construction: keeps it or rejects it. trace.proto requires valid ids; a parent's id must be valid or
 * left out, for a span in the wrong place of a trace is worse than one that its sender hears about.
 */
export function endSpan(batch: SpanBatch, rejections: Rejections, parentIsValid: boolean): void {
  const row = batch.rowCount;
  if (isZeroId(batch.traceId, TRACE_ID_BYTES, row)) {
    batch.rollback();
    rejections.add('spans without a valid trace id of 16 bytes');
  } else if (isZeroId(batch.spanId, SPAN_ID_BYTES, row)) {
    batch.rollback();
    rejections.add('spans without a valid span id of 8 bytes');
  } else if (!parentIsValid) {
    batch.rollback();
    rejections.add('spans whose parent span id is not of 8 bytes');
  } else {
    batch.end();
  }
}
