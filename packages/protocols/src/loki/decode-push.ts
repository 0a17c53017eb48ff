import { ProtobufReader } from '@signalbox/otlp';
import type { LogBatch } from '@signalbox/records';
import { decoding, ProtocolDecodeError } from '../protocol-decode-error.ts';
import { type LabelPair, parseLabels } from './parse-labels.ts';
import { PushBatch } from './push-batch.ts';

const WHAT = 'Loki push request';
const NANOS = 1_000_000_000n;

const decoder = new TextDecoder();

/**
 * Decodes `logproto.PushRequest` (after decompression) to log records over `bytes`, which the batch takes over. A stream becomes a resource;
 * structured metadata become attributes, except trace id, span id and level, which become the record's own fields; those are looked
 * for in lines of JSON and logfmt too. Throws ProtocolDecodeError.
 */
export function decodeLokiProtobuf(bytes: Uint8Array): LogBatch {
  return decoding(WHAT, () => {
    const push = new PushBatch(bytes);
    const reader = new ProtobufReader(bytes);
    const end = bytes.length;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) readStream(reader, reader.delimited(end), push);
      else reader.skip(tag, end);
    }
    reader.endMessage(end);
    return push.batch;
  });
}

function readText(reader: ProtobufReader, messageEnd: number): string {
  const end = reader.delimited(messageEnd);
  const text = decoder.decode(reader.bytes.subarray(reader.position, end));
  reader.position = end;
  return text;
}

function readStream(reader: ProtobufReader, end: number, push: PushBatch): void {
  const start = reader.position;
  let labels = '';
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 0x0a) labels = readText(reader, end);
    else reader.skip(tag, end);
  }
  reader.endMessage(end);
  push.stream(parseLabels(labels));
  // Labels may follow the entries, so those are read in a second pass.
  reader.position = start;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 0x12) readEntry(reader, reader.delimited(end), push);
    else reader.skip(tag, end);
  }
}

function readEntry(reader: ProtobufReader, end: number, push: PushBatch): void {
  let time = 0n;
  let lineStart = 0;
  let lineEnd = 0;
  const metadata: LabelPair[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        time = readTimestamp(reader, reader.delimited(end));
        break;
      case 0x12:
        lineEnd = reader.delimited(end);
        lineStart = reader.position;
        reader.position = lineEnd;
        break;
      case 0x1a:
        metadata.push(readPair(reader, reader.delimited(end)));
        break;
      default:
        reader.skip(tag, end);
    }
  }
  reader.endMessage(end);
  push.entryOfSlice(time, lineStart, lineEnd, metadata);
}

function readTimestamp(reader: ProtobufReader, end: number): bigint {
  let time = 0n;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 0x08 || tag === 0x10) {
      reader.varint();
      const value = BigInt.asIntN(64, (BigInt(reader.high) << 32n) | BigInt(reader.low));
      time += tag === 0x08 ? value * NANOS : value;
    } else {
      reader.skip(tag, end);
    }
  }
  reader.endMessage(end);
  return unsigned(time);
}

function readPair(reader: ProtobufReader, end: number): LabelPair {
  let name = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 0x0a) name = readText(reader, end);
    else if (tag === 0x12) value = readText(reader, end);
    else reader.skip(tag, end);
  }
  reader.endMessage(end);
  return [name, value];
}

/** Decodes the JSON form of the same request: `{"streams": [{"stream": {…}, "values": [["<ns>", "line", {…}]]}]}`. Throws ProtocolDecodeError. */
export function decodeLokiJson(bytes: Uint8Array): LogBatch {
  return decoding(WHAT, () => {
    const push = new PushBatch(new Uint8Array(bytes.length));
    push.batch.byteCount = 0;
    const request = parseJson(bytes);
    if (!isObject(request) || !Array.isArray(request.streams)) throw malformed('"streams" must be a list');
    for (const stream of request.streams as unknown[]) {
      if (!isObject(stream) || !isObject(stream.stream)) throw malformed('"stream" must be an object of labels');
      if (!Array.isArray(stream.values)) throw malformed('"values" must be a list');
      push.stream(pairsOf(stream.stream));
      for (const entry of stream.values as unknown[]) pushJsonEntry(push, entry);
    }
    return push.batch;
  });
}

function pushJsonEntry(push: PushBatch, entry: unknown): void {
  if (!Array.isArray(entry)) throw malformed('an entry must be a list of timestamp and line');
  const [time, line, metadata = {}] = entry as unknown[];
  if (typeof time !== 'string' || !/^\d{1,20}$/.test(time)) {
    throw malformed('a timestamp must be nanoseconds since 1970 as a string');
  }
  if (typeof line !== 'string') throw malformed('a line must be a string');
  if (!isObject(metadata)) throw malformed('structured metadata must be an object');
  for (const value of Object.values(metadata)) {
    if (typeof value !== 'string') throw malformed('values of structured metadata must be strings');
  }
  push.entryOfText(unsigned(BigInt(time)), line, pairsOf(metadata));
}

/** Values that are no strings are labels by their JSON text, as Loki has it. */
function pairsOf(object: Record<string, unknown>): LabelPair[] {
  return Object.entries(object).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

/** Times before 1970 and beyond 64 bits become unknown, which the store dates itself. */
function unsigned(time: bigint): bigint {
  return time === BigInt.asUintN(64, time) ? time : 0n;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new ProtocolDecodeError(`${WHAT}: ${(error as Error).message.slice(0, 200)}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): ProtocolDecodeError {
  return new ProtocolDecodeError(`${WHAT}: ${what}`);
}
