import { createHash, randomUUID } from 'node:crypto';
import { OttlValueError } from '../ottl-error.ts';
import { describe, type Value } from '../value.ts';
import { type CommonFunction, ofValue } from './function.ts';

function hashOf(algorithm: string): CommonFunction {
  return ofValue((value) => createHash(algorithm).update(stringOrBytes(value)).digest('hex'));
}

function stringOrBytes(value: Value): string | Uint8Array {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new OttlValueError(`a hash is of a string, not of ${describe(value)}`);
  }
  return value;
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a of 64 bits, as a signed int. */
function fnv(value: Value): bigint {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(stringOrBytes(value))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return BigInt.asIntN(64, hash);
}

function hex(value: Value): Value {
  switch (typeof value) {
    case 'string':
      return Buffer.from(value).toString('hex');
    case 'boolean':
      return value ? '01' : '00';
    case 'bigint': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value);
      return bytes.toString('hex');
    }
    case 'number': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return bytes.toString('hex');
    }
    default:
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : null;
  }
}

/** An id of `width` bytes, written as bytes or as hexadecimal digits. */
function id(width: 8 | 16): CommonFunction {
  return ofValue((value) => {
    const bytes =
      value instanceof Uint8Array
        ? value
        : typeof value === 'string'
          ? new Uint8Array(Buffer.from(value, 'hex'))
          : null;
    if (bytes?.length !== width) {
      throw new OttlValueError(`an id has ${width} bytes, or ${width * 2} hexadecimal digits`);
    }
    return bytes;
  });
}

const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  base64: 'base64',
  'base64-raw': 'base64',
  'base64-url': 'base64url',
  'base64-raw-url': 'base64url',
  'utf-8': 'utf8',
  utf8: 'utf8',
  'us-ascii': 'latin1',
};

const decode: CommonFunction = {
  parameters: ['value', 'encoding'],
  compile: (args) => {
    const value = args.value('value');
    const name = args.literal('encoding');
    const encoding = Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : undefined;
    if (encoding === undefined) {
      throw args.error('encoding', `one of ${Object.keys(ENCODINGS).join(', ')}`);
    }
    return (cursor) => {
      const input = stringOrBytes(value(cursor));
      return encoding === 'base64' || encoding === 'base64url'
        ? Buffer.from(typeof input === 'string' ? input : Buffer.from(input).toString('latin1'), encoding).toString(
            'utf8',
          )
        : Buffer.from(input).toString(encoding);
    };
  },
};

export const HASH_CONVERTERS: readonly (readonly [string, CommonFunction])[] = [
  ['SHA1', hashOf('sha1')],
  ['SHA256', hashOf('sha256')],
  ['SHA512', hashOf('sha512')],
  ['MD5', hashOf('md5')],
  ['FNV', ofValue(fnv)],
  ['Hex', ofValue(hex)],
  ['TraceID', id(16)],
  ['SpanID', id(8)],
  ['Decode', decode],
  ['Base64Encode', ofValue((value) => Buffer.from(stringOrBytes(value)).toString('base64'))],
  ['UUID', { parameters: [], compile: () => () => randomUUID() }],
];
