import type { RecordBatch } from '@signalbox/records';

/**
 * Bytes of the columns of a batch, without those of `body`, which the batch stands on. A row of a few bytes on the wire
 * takes some hundred in columns, so a limit on bodies alone bounds nothing.
 */
export function columnBytes(batch: RecordBatch, body: Uint8Array): number {
  const buffers = new Set<ArrayBufferLike>();
  collectBuffers(batch, buffers);
  buffers.delete(body.buffer);
  let bytes = 0;
  for (const buffer of buffers) {
    bytes += buffer.byteLength;
  }
  return bytes;
}

/** Tables hold columns and tables, never themselves, in fields that are not private. */
function collectBuffers(table: object, buffers: Set<ArrayBufferLike>): void {
  for (const value of Object.values(table) as unknown[]) {
    if (ArrayBuffer.isView(value)) {
      buffers.add(value.buffer);
    } else if (typeof value === 'object' && value !== null) {
      collectBuffers(value, buffers);
    }
  }
}
