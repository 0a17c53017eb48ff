import type { ReadSeries } from '../encode-remote-read.ts';
import { BitWriter } from './bit-writer.ts';
import { fits } from './varbit.ts';
import { XorValue } from './xor-value.ts';

/** A chunk of numbers, `from` one sample up to another: Prometheus's encoding XOR. */
export function encodeNumbers({ times, values, stale }: ReadSeries, from: number, to: number): Uint8Array {
  const writer = new BitWriter();
  const value = new XorValue();
  writer.bits(to - from, 16);
  let before = 0;
  let deltaBefore = 0;
  for (let i = from; i < to; i++) {
    const time = times[i] as number;
    const shown = stale?.[i] === 1 ? 'stale' : (values[i] as number);
    const delta = time - before;
    if (i === from) {
      writer.varint(zigzag(time));
      value.first(writer, shown);
    } else {
      if (i === from + 1) writer.varint(BigInt(delta));
      else writeDeltaOfDelta(writer, delta - deltaBefore);
      value.next(writer, shown);
    }
    before = time;
    deltaBefore = delta;
  }
  return writer.finish();
}

function writeDeltaOfDelta(writer: BitWriter, value: number): void {
  if (value === 0) writer.bits(0, 1);
  else if (fits(value, 14)) {
    writer.bits(0b10, 2);
    writer.whole(value, 14);
  } else if (fits(value, 17)) {
    writer.bits(0b110, 3);
    writer.whole(value, 17);
  } else if (fits(value, 20)) {
    writer.bits(0b1110, 4);
    writer.whole(value, 20);
  } else {
    writer.bits(0b1111, 4);
    writer.whole(value, 64);
  }
}

function zigzag(value: number): bigint {
  const whole = BigInt(value);
  return whole < 0n ? -2n * whole - 1n : 2n * whole;
}
