import type { ReverseWriter } from '@signalbox/otlp';
import type { Labels } from './translate-metrics.ts';

/** Prometheus's mark of a series that has ended, one of the many NaNs. */
const STALE = { low: 2, high: 0x7ff00000 } as const;

/** Messages `Label`, field 1 of a series and of an exemplar. */
export function writeLabels(writer: ReverseWriter, labels: Labels): void {
  for (const [name, value] of labels.toReversed()) {
    const end = writer.length;
    writer.text(0x12, value);
    writer.text(0x0a, name);
    writer.endMessage(0x0a, end);
  }
}

export function writeDouble(writer: ReverseWriter, tag: number, value: number | 'stale'): void {
  if (value === 'stale') writer.fixed64(STALE.low, STALE.high);
  else writer.double(value);
  writer.varint(tag);
}

export function writeInt64(writer: ReverseWriter, tag: number, value: number): void {
  if (value >= 0) writer.varint(value);
  else writeWords(writer, BigInt(value));
  writer.varint(tag);
}

/** Messages `BucketSpan`, one for each run of indexes without a gap; its offset is from the end of the one before. */
export function writeBucketSpans(writer: ReverseWriter, indexes: readonly number[], tag: number): void {
  let last = indexes.length - 1;
  while (last >= 0) {
    let first = last;
    while (first > 0 && indexes[first - 1] === (indexes[first] as number) - 1) first--;
    const before = first === 0 ? 0 : (indexes[first - 1] as number) + 1;
    const end = writer.length;
    writer.varint(last - first + 1);
    writer.varint(0x10);
    writer.sint32((indexes[first] as number) - before);
    writer.varint(0x08);
    writer.endMessage(tag, end);
    last = first - 1;
  }
}

export function writeWords(writer: ReverseWriter, value: bigint): void {
  const bits = BigInt.asUintN(64, value);
  writer.varint64(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
}
