import { deflateSync, gzipSync } from 'node:zlib';
import type { OtlpEncoding } from '../../otlp/export-service.ts';
import type { OtlpSignal } from '../../otlp/received-counters.ts';
import { jsonRequest, protobufRecord, protobufRequest } from '../otlp-requests.ts';
import { bytesField, messageField, varint, varintField } from '../protobuf-writer.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a receiver must make of a body: refuse it, or either, where tolerance is the decoder's choice. */
export type BodyVerdict = 'invalid' | 'any' | 'too large';

export interface HostileBody {
  readonly kind: string;
  readonly encoding: OtlpEncoding;
  readonly compression: 'identity' | 'gzip' | 'deflate';
  readonly bytes: Buffer;
  readonly verdict: BodyVerdict;
}

type MakeBody = (random: SeededRandom, signal: OtlpSignal, maxBytes: number) => Omit<HostileBody, 'kind'>;

const protobuf = (bytes: Uint8Array, verdict: BodyVerdict): Omit<HostileBody, 'kind'> => ({
  encoding: 'protobuf',
  compression: 'identity',
  bytes: Buffer.from(bytes),
  verdict,
});
const json = (text: string, verdict: BodyVerdict): Omit<HostileBody, 'kind'> => ({
  encoding: 'json',
  compression: 'identity',
  bytes: Buffer.from(text),
  verdict,
});

/** An AnyValue of arrays in arrays (field 5, field 1), or of lists in lists (field 6, field 1, value 2). */
function nestedValue(depth: number, ofLists: boolean): Uint8Array {
  // Built inside out with lengths known beforehand: quadratic copying would make the test slower than its target.
  const prefixes: Uint8Array[] = [];
  let size = 0;
  for (let level = 0; level < depth; level += 1) {
    for (const tag of ofLists ? [0x12, 0x0a, 0x32] : [0x0a, 0x2a]) {
      const prefix = Buffer.concat([Uint8Array.of(tag), varint(size)]);
      prefixes.push(prefix);
      size += prefix.byteLength;
    }
  }
  return Buffer.concat(prefixes.reverse());
}

function attributesField(signal: OtlpSignal): number {
  return { traces: 9, metrics: 12, logs: 6 }[signal];
}

/** Places in the valid OTLP/JSON request where a wrong type can stand. */
const WRONG_JSON_VALUES = [
  '12',
  '"text"',
  'null',
  'true',
  '[]',
  '{}',
  '[[]]',
  '1e400',
  '-1',
  '"\\ud800"',
  '{"a":{"b":[1]}}',
];

const BODIES: Readonly<Record<string, MakeBody>> = {
  'truncated protobuf': (random, signal) => {
    const whole = protobufRequest(signal);
    return protobuf(whole.subarray(0, random.integer(1, whole.length - 1)), 'invalid');
  },
  'flipped bits in protobuf': (random, signal) => {
    const bytes = protobufRequest(signal);
    for (let flips = random.integer(1, 8); flips > 0; flips -= 1) {
      const index = random.integer(0, bytes.length - 1);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << random.integer(0, 7));
    }
    return protobuf(bytes, 'any');
  },
  'random bytes as protobuf': (random) => protobuf(random.bytes(random.integer(1, 2_000)), 'any'),
  'protobuf with wire types of other fields': (random, signal) => {
    const wrong = [varintField(1, 7n), varintField(2, 7), bytesField(7, 'x'), varintField(5, 1), bytesField(6, 'yy')];
    return protobuf(protobufRequest(signal, [protobufRecord(signal, random.pick(wrong))]), 'any');
  },
  'protobuf with reserved wire types': (random, signal) => {
    const tag = Uint8Array.of((random.integer(1, 15) << 3) | random.pick([6, 7]));
    return protobuf(protobufRequest(signal, [protobufRecord(signal, tag)]), 'invalid');
  },
  'protobuf that declares huge lengths': (random, signal) => {
    const length = random.pick([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n]);
    const level = random.pick(['request', 'record']);
    const field = bytesField(1, 'x', length);
    return protobuf(level === 'request' ? field : protobufRequest(signal, [protobufRecord(signal, field)]), 'invalid');
  },
  'protobuf with an endless varint': (_random, signal) => {
    const endless = Buffer.concat([Uint8Array.of(0x30), Buffer.alloc(64, 0xff)]);
    return protobuf(protobufRequest(signal, [protobufRecord(signal, endless)]), 'invalid');
  },
  'deeply nested protobuf': (random, signal) => {
    const value = nestedValue(random.integer(500, 20_000), random.next() < 0.5);
    const attribute = messageField(attributesField(signal), bytesField(1, 'deep'), bytesField(2, value));
    return protobuf(protobufRequest(signal, [protobufRecord(signal, attribute)]), 'any');
  },
  'protobuf with many empty records': (random, signal) => {
    const records = Array.from({ length: random.integer(1_000, 20_000) }, () => new Uint8Array());
    return protobuf(protobufRequest(signal, records), 'any');
  },
  'truncated JSON': (random, signal) => {
    const text = JSON.stringify(jsonRequest(signal));
    return json(text.slice(0, random.integer(0, text.length - 1)), 'invalid');
  },
  'JSON with something after it': (random, signal) =>
    json(JSON.stringify(jsonRequest(signal)) + random.pick(['}', ']', '{}', 'x', '"', ',', '\u0000']), 'invalid'),
  'JSON that is no object': (random) =>
    json(random.pick(['1234', '"x"', '[1,', '[]x', 'nul', '\u0000', '{', "{'a':1}"]), 'invalid'),
  'JSON of wrong types': (random, signal) => {
    const text = JSON.stringify(jsonRequest(signal));
    const places = [...text.matchAll(/:/g)].map((match) => match.index + 1);
    const at = random.pick(places);
    const end = endOfJsonValue(text, at);
    return json(text.slice(0, at) + random.pick(WRONG_JSON_VALUES) + text.slice(end), 'any');
  },
  'deeply nested JSON': (random, signal) => {
    const depth = random.integer(500, 50_000);
    const nested =
      random.next() < 0.5
        ? `${'['.repeat(depth)}${']'.repeat(depth)}`
        : `${'{"arrayValue":{"values":['.repeat(depth)}${']}}'.repeat(depth)}`;
    const text = JSON.stringify(jsonRequest(signal));
    return json(text.replace('{"stringValue":"shop"}', nested), 'any');
  },
  'JSON with invalid UTF-8': (random, signal) => {
    const bytes = Buffer.from(JSON.stringify(jsonRequest(signal)));
    bytes[bytes.indexOf('shop')] = random.pick([0xff, 0xc0, 0x80, 0xf8]);
    return { encoding: 'json', compression: 'identity', bytes, verdict: 'any' };
  },
  'gzip that is none': (random, signal) => ({
    ...protobuf(
      random.pick([protobufRequest(signal), Buffer.from([0x1f]), Buffer.from([0x1f, 0x8b, 8]), Buffer.alloc(20)]),
      'invalid',
    ),
    compression: random.pick(['gzip', 'deflate'] as const),
  }),
  'truncated gzip': (random, signal) => {
    const whole = gzipSync(protobufRequest(signal));
    return { ...protobuf(whole.subarray(0, random.integer(1, whole.length - 1)), 'invalid'), compression: 'gzip' };
  },
  'gzip with flipped bits': (random, signal) => {
    const bytes = gzipSync(JSON.stringify(jsonRequest(signal)));
    const index = random.integer(10, bytes.length - 1);
    bytes[index] = (bytes[index] ?? 0) ^ (1 << random.integer(0, 7));
    return { encoding: 'json', compression: 'gzip', bytes, verdict: 'any' };
  },
};

/** Expensive for the sender as well, so they come seldom. */
const LARGE_BODIES: Readonly<Record<string, MakeBody>> = {
  'zip bomb': (random, _signal, maxBytes) => {
    const compression = random.pick(['gzip', 'deflate'] as const);
    const encoding = random.pick(['protobuf', 'json'] as const);
    return { encoding, compression, bytes: bomb(compression, maxBytes), verdict: 'too large' };
  },
  'body over the limit': (_random, _signal, maxBytes) => protobuf(Buffer.alloc(maxBytes + 1), 'too large'),
};

const bombs = new Map<string, Buffer>();

/** Four times the limit, in a thousandth of its size. */
function bomb(compression: 'gzip' | 'deflate', maxBytes: number): Buffer {
  const key = `${compression} ${maxBytes}`;
  let bytes = bombs.get(key);
  if (bytes === undefined) {
    const zeros = Buffer.alloc(maxBytes * 4);
    bytes = compression === 'gzip' ? gzipSync(zeros) : deflateSync(zeros);
    bombs.set(key, bytes);
  }
  return bytes;
}

/** Where the JSON value that starts at `start` ends; `text` is valid and has no brackets in its strings. */
function endOfJsonValue(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth <= 0) {
        return depth < 0 ? index : index + 1;
      }
    } else if (character === ',' && depth === 0) {
      return index;
    }
  }
  return text.length;
}

const SHARE_OF_LARGE = 0.003;

/** The next hostile body of a valid sender's transport. */
export function hostileBody(random: SeededRandom, signal: OtlpSignal, maxBytes: number): HostileBody {
  const bodies = random.next() < SHARE_OF_LARGE ? LARGE_BODIES : BODIES;
  const kind = random.pick(Object.keys(bodies));
  const make = bodies[kind] as MakeBody;
  return { kind, ...make(random, signal, maxBytes) };
}
