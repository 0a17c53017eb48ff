import { ReverseWriter } from '@signalbox/otlp';
import { encodeSnappy } from '../snappy/encode-snappy.ts';
import type { LokiStream } from './log-streams.ts';

const NANOS = 1_000_000_000n;

/** The streams as `logproto.PushRequest` in a Snappy block, the body of `POST /loki/api/v1/push`. */
export function encodeLokiPush(streams: readonly LokiStream[]): Uint8Array<ArrayBuffer> {
  const writer = new ReverseWriter();
  for (const { labels, entries } of streams.toReversed()) {
    const streamEnd = writer.length;
    for (const { time, line } of entries.toReversed()) {
      const entryEnd = writer.length;
      writer.text(0x12, line);
      const timeEnd = writer.length;
      writer.varint(Number(time % NANOS));
      writer.varint(0x10);
      writer.varint(Number(time / NANOS));
      writer.varint(0x08);
      writer.endMessage(0x0a, timeEnd);
      writer.endMessage(0x12, entryEnd);
    }
    writer.text(0x0a, labels);
    writer.endMessage(0x0a, streamEnd);
  }
  return encodeSnappy(writer.finish());
}
