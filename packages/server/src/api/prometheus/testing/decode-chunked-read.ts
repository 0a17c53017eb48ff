import { integerOf, messageOf, messagesOf, readMessage, textOf } from '../../protobuf-fields.ts';

export interface ChunkedSeries {
  readonly query: number;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly chunks: readonly DecodedChunk[];
}

export interface DecodedChunk {
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: readonly DecodedSample[];
}

export interface DecodedSample {
  readonly timeMs: number;
  /** The 64 bits of the number, in hexadecimal digits. */
  readonly value: string | DecodedHistogram;
}

export interface DecodedHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: readonly (readonly [index: number, count: number])[];
  readonly negative: readonly (readonly [index: number, count: number])[];
  readonly customBounds: readonly number[];
}

/**
 * The frames of an answer of type STREAMED_XOR_CHUNKS, read bit by bit as Prometheus's documents say
 * (tsdb/docs/format/chunks.md, prompb/remote.proto); checksums are looked at. Throws when there is something else.
 */
export function decodeChunkedRead(bytes: Uint8Array): ChunkedSeries[] {
  const frames: ChunkedSeries[] = [];
  let at = 0;
  while (at < bytes.length) {
    let [length, shift] = [0, 1];
    for (let byte = 0x80; byte >= 0x80; shift *= 128) {
      byte = bytes[at++] ?? 0;
      length += (byte & 0x7f) * shift;
    }
    const message = bytes.subarray(at + 4, at + 4 + length);
    if (message.length !== length) throw new Error('a frame is cut off');
    if (Buffer.from(bytes).readUInt32BE(at) !== castagnoli(message)) throw new Error('a checksum is wrong');
    at += 4 + length;
    const frame = readMessage(message);
    const series = messageOf(frame, 1);
    if (series === undefined) throw new Error('a frame without a series');
    frames.push({
      query: Number(integerOf(frame, 2)),
      labels: messagesOf(series, 1).map((label) => [textOf(label, 1), textOf(label, 2)] as const),
      chunks: messagesOf(series, 2).map((chunk) => ({
        fromMs: Number(BigInt.asIntN(64, integerOf(chunk, 1))),
        toMs: Number(BigInt.asIntN(64, integerOf(chunk, 2))),
        samples: samplesOf(Number(integerOf(chunk, 3)), chunk.get(4)?.[0] as Uint8Array),
      })),
    });
  }
  return frames;
}

function castagnoli(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = ((remainder ^ (byte >> bit)) & 1) === 1;
      remainder = isOdd ? (remainder >>> 1) ^ 0x82f6_3b78 : remainder >>> 1;
    }
  }
  return ~remainder >>> 0;
}

function samplesOf(type: number, bytes: Uint8Array): DecodedSample[] {
  const bits = new Bits(bytes);
  const count = Number(bits.take(16));
  if (type === 1) return numbersOf(bits, count);
  if (type === 3) return histogramsOf(bits, count);
  throw new Error(`there is a chunk of type ${type}`);
}

function numbersOf(bits: Bits, count: number): DecodedSample[] {
  const value = new XorReader(bits);
  const samples: DecodedSample[] = [];
  let [time, delta] = [0n, 0n];
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      const zigzag = bits.varint();
      time = (zigzag >> 1n) ^ -(zigzag & 1n);
    } else {
      delta = i === 1 ? bits.varint() : delta + bits.signed([14, 17, 20]);
      time += delta;
    }
    samples.push({
      timeMs: Number(time),
      value: (i === 0 ? value.first() : value.next()).toString(16).padStart(16, '0'),
    });
  }
  return samples;
}

const varbitSizes = [3, 6, 9, 12, 18, 25, 56];

function histogramsOf(bits: Bits, count: number): DecodedSample[] {
  bits.take(8);
  const threshold = Number(bits.take(8));
  const zeroThreshold = threshold === 0 ? 0 : threshold === 255 ? doubleOf(bits.take(64)) : 2 ** (threshold - 244);
  const schema = Number(bits.signed(varbitSizes));
  const [positiveIndexes, negativeIndexes] = [indexesOf(bits), indexesOf(bits)];
  const customBounds: number[] = [];
  for (let left = schema === -53 ? bits.unsigned(varbitSizes) : 0n; left > 0n; left--) {
    const thousandths = bits.unsigned(varbitSizes);
    customBounds.push(thousandths === 0n ? doubleOf(bits.take(64)) : Number(thousandths - 1n) / 1_000);
  }
  const columns = Array.from(
    { length: 3 + positiveIndexes.length + negativeIndexes.length },
    () => new XorReader(bits),
  );
  const samples: DecodedSample[] = [];
  let [time, delta] = [0n, 0n];
  for (let i = 0; i < count; i++) {
    const change = bits.signed(varbitSizes);
    if (i === 0) time = change;
    else time += delta += change;
    const numbers = columns.map((column) => doubleOf(i === 0 ? column.first() : column.next()));
    const [all = 0, zeroCount = 0, sum = 0, ...counts] = numbers;
    const positive = positiveIndexes.map((index, place) => [index, counts[place] ?? 0] as const);
    const negative = negativeIndexes.map(
      (index, place) => [index, counts[positiveIndexes.length + place] ?? 0] as const,
    );
    const value = { schema, zeroThreshold, count: all, zeroCount, sum, positive, negative, customBounds };
    samples.push({ timeMs: Number(time), value });
  }
  return samples;
}

function indexesOf(bits: Bits): number[] {
  const indexes: number[] = [];
  let next = 0;
  for (let left = bits.unsigned(varbitSizes); left > 0n; left--) {
    const length = Number(bits.unsigned(varbitSizes));
    next += Number(bits.signed(varbitSizes));
    for (let i = 0; i < length; i++) indexes.push(next++);
  }
  return indexes;
}

function doubleOf(value: bigint): number {
  return new Float64Array(BigUint64Array.of(value).buffer)[0] ?? 0;
}

class XorReader {
  readonly #bits: Bits;
  #value = 0n;
  #size = 0;
  #trailing = 0;

  constructor(bits: Bits) {
    this.#bits = bits;
  }

  first(): bigint {
    this.#value = this.#bits.take(64);
    return this.#value;
  }

  next(): bigint {
    if (this.#bits.take(1) === 0n) return this.#value;
    if (this.#bits.take(1) === 1n) {
      const leading = Number(this.#bits.take(5));
      this.#size = Number(this.#bits.take(6)) || 64;
      this.#trailing = 64 - leading - this.#size;
    }
    this.#value ^= this.#bits.take(this.#size) << BigInt(this.#trailing);
    return this.#value;
  }
}

class Bits {
  #rest: string;

  constructor(bytes: Uint8Array) {
    this.#rest = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  }

  take(count: number): bigint {
    if (count > this.#rest.length) throw new Error('a chunk is cut off');
    const taken = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return BigInt(`0b${taken}`);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.take(8);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  }

  /** As many ones as the place of its size, a zero, and the number; 64 bits behind all ones. */
  unsigned(sizes: readonly number[]): bigint {
    return this.#sized(sizes).value;
  }

  signed(sizes: readonly number[]): bigint {
    const { value, size } = this.#sized(sizes);
    if (size === 0) return 0n;
    const half = 1n << BigInt(size - 1);
    // Of 64 bits it is two's complement; of fewer, half is positive.
    return value > half || (size === 64 && value === half) ? value - 2n * half : value;
  }

  #sized(sizes: readonly number[]): { value: bigint; size: number } {
    let ones = 0;
    while (ones <= sizes.length && this.take(1) === 1n) ones++;
    if (ones === 0) return { value: 0n, size: 0 };
    const size = sizes[ones - 1] ?? 64;
    return { value: this.take(size), size };
  }
}
