import type { ProtobufReader } from '@signalbox/otlp';

const decoder = new TextDecoder();

/** Calls `read` with the tag of each field up to `end`; fields that it does not take (by answering false) are skipped. */
export function fields(reader: ProtobufReader, end: number, read: (tag: number) => boolean): void {
  while (reader.position < end) {
    const tag = reader.tag();
    if (!read(tag)) reader.skip(tag, end);
  }
  reader.endMessage(end);
}

/** Reads a message inside of one that ends at `messageEnd`, as `fields` does. */
export function message(reader: ProtobufReader, messageEnd: number, read: (tag: number, end: number) => boolean): void {
  const end = reader.delimited(messageEnd);
  fields(reader, end, (tag) => read(tag, end));
}

export function text(reader: ProtobufReader, messageEnd: number): string {
  const end = reader.delimited(messageEnd);
  const found = decoder.decode(reader.bytes.subarray(reader.position, end));
  reader.position = end;
  return found;
}

export function int64(reader: ProtobufReader): number {
  reader.varint();
  return Number(BigInt.asIntN(64, (BigInt(reader.high) << 32n) | BigInt(reader.low)));
}

export function sint64(reader: ProtobufReader): number {
  reader.varint();
  const zigzag = (BigInt(reader.high) << 32n) | BigInt(reader.low);
  return Number((zigzag >> 1n) ^ -(zigzag & 1n));
}

/** Appends the values of a packed field. */
export function packed(
  reader: ProtobufReader,
  messageEnd: number,
  into: number[],
  read: (reader: ProtobufReader) => number,
): void {
  const end = reader.delimited(messageEnd);
  while (reader.position < end) into.push(read(reader));
  reader.endMessage(end);
}
