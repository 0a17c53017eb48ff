import type { BitWriter } from './bit-writer.ts';

/** The smallest of two's complement stands for its opposite: so does Prometheus read it. */
export function fits(value: number, bits: number): boolean {
  return value > -(2 ** (bits - 1)) && value <= 2 ** (bits - 1);
}

/** How many bits a number may have, behind as many ones as there are sizes before it and a zero. */
const SIZES = [3, 6, 9, 12, 18, 25, 56] as const;

export function writeSigned(writer: BitWriter, value: number): void {
  writeSized(writer, value, (bits) => fits(value, bits));
}

export function writeUnsigned(writer: BitWriter, value: number): void {
  writeSized(writer, value, (bits) => value < 2 ** bits);
}

function writeSized(writer: BitWriter, value: number, hasRoom: (bits: number) => boolean): void {
  if (value === 0) {
    writer.bits(0, 1);
    return;
  }
  const size = SIZES.findIndex(hasRoom);
  if (size < 0) {
    writer.bits(0xff, 8);
    writer.whole(value, 64);
    return;
  }
  writer.bits(2 ** (size + 2) - 2, size + 2);
  writer.whole(value, SIZES[size] as number);
}
