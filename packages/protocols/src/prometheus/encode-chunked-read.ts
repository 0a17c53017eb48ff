import { ReverseWriter } from '@signalbox/otlp';
import { crc32c } from './chunks/crc32c.ts';
import { type EncodedChunk, encodeChunks } from './chunks/encode-chunks.ts';
import type { ReadSeries } from './encode-remote-read.ts';
import { writeInt64, writeLabels } from './write-remote-fields.ts';

/** Bytes of chunks after which a frame ends: what a reader, and the event loop, have to do with one is bounded. */
const FRAME_BYTES = 64 * 1024;

/**
 * A series as frames of an answer of type STREAMED_XOR_CHUNKS: of each its length as a varint, its CRC-32C, and a
 * `prometheus.ChunkedReadResponse` with as many chunks as fit into it, one at least.
 *
 * @param queryIndex the place of the query in the request
 */
export function* encodeChunkedRead(queryIndex: number, series: ReadSeries): Generator<Uint8Array<ArrayBuffer>> {
  let chunks: EncodedChunk[] = [];
  let bytes = 0;
  for (const chunk of encodeChunks(series)) {
    chunks.push(chunk);
    bytes += chunk.data.length;
    if (bytes < FRAME_BYTES) continue;
    yield encodeFrame(queryIndex, series.labels, chunks);
    chunks = [];
    bytes = 0;
  }
  if (chunks.length > 0) yield encodeFrame(queryIndex, series.labels, chunks);
}

function encodeFrame(
  queryIndex: number,
  labels: ReadSeries['labels'],
  chunks: readonly EncodedChunk[],
): Uint8Array<ArrayBuffer> {
  const writer = new ReverseWriter();
  writeInt64(writer, 0x10, queryIndex);
  const seriesEnd = writer.length;
  for (const { type, minTimeMs, maxTimeMs, data } of chunks.toReversed()) {
    const end = writer.length;
    writer.slice(0x22, data, 0, data.length);
    writer.varint(type);
    writer.varint(0x18);
    writeInt64(writer, 0x10, maxTimeMs);
    writeInt64(writer, 0x08, minTimeMs);
    writer.endMessage(0x12, end);
  }
  writeLabels(writer, labels);
  writer.endMessage(0x0a, seriesEnd);
  const message = writer.finish();
  const crc = crc32c(message);
  // The one number here whose highest byte comes first.
  writer.raw(Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc), 0, 4);
  writer.varint(message.length);
  return writer.finish();
}
