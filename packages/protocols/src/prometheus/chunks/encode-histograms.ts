import type { ReadHistogram, ReadSeries } from '../encode-remote-read.ts';
import { BitWriter } from './bit-writer.ts';
import { writeSigned, writeUnsigned } from './varbit.ts';
import { XorValue } from './xor-value.ts';

/** Histograms of a gauge; whether a counter began anew before the first one is not said: readers don't rely on it. */
const GAUGE = 0b1100_0000;
const CUSTOM_BUCKETS = -53;

/** A chunk of histograms with the same buckets, `from` one sample up to another: Prometheus's encoding FLOAT_HISTOGRAM. */
export function encodeHistograms({ times, histograms = [] }: ReadSeries, from: number, to: number): Uint8Array {
  const writer = new BitWriter();
  writer.bits(to - from, 16);
  let columns: XorValue[] = [];
  let before = 0;
  let deltaBefore = 0;
  for (let i = from; i < to; i++) {
    const histogram = histograms[i] as ReadHistogram;
    const { count, zeroCount, sum, positive, negative } = histogram;
    const counts = [count, zeroCount, sum, ...positive.counts, ...negative.counts];
    const time = times[i] as number;
    const delta = i === from ? 0 : time - before;
    if (i === from) {
      writer.bits(histogram.resetHint === 'gauge' ? GAUGE : 0, 8);
      writeLayout(writer, histogram);
      writeSigned(writer, time);
      columns = counts.map(() => new XorValue());
    } else writeSigned(writer, delta - deltaBefore);
    for (const [at, value] of columns.entries()) {
      if (i === from) value.first(writer, counts[at] as number);
      else value.next(writer, counts[at] as number);
    }
    before = time;
    deltaBefore = delta;
  }
  return writer.finish();
}

function writeLayout(
  writer: BitWriter,
  { schema, zeroThreshold, positive, negative, customBounds }: ReadHistogram,
): void {
  writeZeroThreshold(writer, zeroThreshold);
  writeSigned(writer, schema);
  writeSpans(writer, positive.indexes);
  writeSpans(writer, negative.indexes);
  if (schema !== CUSTOM_BUCKETS) return;
  writeUnsigned(writer, customBounds.length);
  for (const bound of customBounds) writeBound(writer, bound);
}

/** Powers of two from 2^-243 to 2^10 by their exponent, 0 as 0; others behind 255. */
function writeZeroThreshold(writer: BitWriter, threshold: number): void {
  const exponent = Math.log2(threshold);
  if (threshold === 0) writer.bits(0, 8);
  else if (Number.isInteger(exponent) && 2 ** exponent === threshold && exponent >= -243 && exponent <= 10) {
    writer.bits(exponent + 244, 8);
  } else {
    writer.bits(255, 8);
    new XorValue().first(writer, threshold);
  }
}

/** Runs of indexes without a gap: how long, and how far from the end of the one before. */
function writeSpans(writer: BitWriter, indexes: readonly number[]): void {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of indexes) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  writeUnsigned(writer, spans.length);
  for (const { offset, length } of spans) {
    writeUnsigned(writer, length);
    writeSigned(writer, offset);
  }
}

/** Thousandths up to 33554.43 as a number of them and one more; others as they are, behind a 0. */
function writeBound(writer: BitWriter, bound: number): void {
  const thousandths = Math.round(bound * 1_000);
  if (bound >= 0 && bound * 1_000 <= 33_554_430 && thousandths / 1_000 === bound) {
    writeUnsigned(writer, thousandths + 1);
  } else {
    writeUnsigned(writer, 0);
    new XorValue().first(writer, bound);
  }
}
