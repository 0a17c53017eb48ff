/**
 * Reads OTLP export requests by a table of the field numbers in opentelemetry-proto 1.x: an independent, slow and plain reader for tests.
 * Bytes become hexadecimal text, 64-bit times bigints, attributes a Map from key to plain value.
 */
export interface Message {
  [field: string]: unknown;
}

type Kind = 'text' | 'hex' | 'whole' | 'signed' | 'time' | 'double' | 'flag' | 'signedFixed' | 'fixed32' | Schema;
interface Field {
  name: string;
  kind: Kind;
  many?: boolean;
}
interface Schema {
  fields: Record<number, Field>;
  /** Turns a finished message into something handier. */
  finish?: (message: Message) => unknown;
}

const one = (name: string, kind: Kind): Field => ({ name, kind });
const many = (name: string, kind: Kind): Field => ({ name, kind, many: true });

const anyValue: Schema = { fields: {}, finish: (message) => Object.values(message)[0] ?? null };
const keyValue: Schema = { fields: { 1: one('key', 'text'), 2: one('value', anyValue) } };
const keyValueList: Schema = { fields: { 1: many('values', keyValue) }, finish: (list) => toMap(list.values) };
const arrayValue: Schema = { fields: { 1: many('values', anyValue) }, finish: (array) => array.values ?? [] };
anyValue.fields = {
  1: one('string', 'text'),
  2: one('bool', 'flag'),
  3: one('int', 'signed'),
  4: one('double', 'double'),
  5: one('array', arrayValue),
  6: one('kvlist', keyValueList),
  7: one('bytes', 'hex'),
};

const withAttributes = (fields: Record<number, Field>, attributes: number): Schema => ({
  fields: { ...fields, [attributes]: many('attributes', keyValue) },
  finish: (message) => ({ ...message, attributes: toMap(message.attributes) }),
});
const status: Schema = { fields: { 2: one('message', 'text'), 3: one('code', 'whole') } };
const event = withAttributes({ 1: one('time', 'time'), 2: one('name', 'text') }, 3);
const link = withAttributes({ 1: one('traceId', 'hex'), 2: one('spanId', 'hex') }, 4);
const span = withAttributes(
  {
    1: one('traceId', 'hex'),
    2: one('spanId', 'hex'),
    4: one('parentSpanId', 'hex'),
    5: one('name', 'text'),
    6: one('kind', 'whole'),
    7: one('start', 'time'),
    8: one('end', 'time'),
    11: many('events', event),
    13: many('links', link),
    15: one('status', status),
  },
  9,
);
const logRecord = withAttributes(
  {
    1: one('time', 'time'),
    2: one('severityNumber', 'whole'),
    3: one('severityText', 'text'),
    5: one('body', anyValue),
    9: one('traceId', 'hex'),
    10: one('spanId', 'hex'),
  },
  6,
);
const exemplar: Schema = {
  fields: {
    2: one('time', 'time'),
    3: one('asDouble', 'double'),
    4: one('spanId', 'hex'),
    5: one('traceId', 'hex'),
    6: one('asInt', 'signedFixed'),
  },
};
const numberPoint = withAttributes(
  {
    3: one('time', 'time'),
    4: one('asDouble', 'double'),
    6: one('asInt', 'signedFixed'),
    5: many('exemplars', exemplar),
  },
  7,
);
const histogramPoint = withAttributes(
  {
    3: one('time', 'time'),
    4: one('count', 'time'),
    5: one('sum', 'double'),
    6: many('bucketCounts', 'time'),
    7: many('explicitBounds', 'double'),
    8: many('exemplars', exemplar),
  },
  9,
);
const data = (point: Schema): Schema => ({
  fields: { 1: many('points', point), 2: one('temporality', 'whole'), 3: one('monotonic', 'flag') },
});
const metric: Schema = {
  fields: {
    1: one('name', 'text'),
    2: one('description', 'text'),
    3: one('unit', 'text'),
    5: one('gauge', data(numberPoint)),
    7: one('sum', data(numberPoint)),
    9: one('histogram', data(histogramPoint)),
  },
};
const resource = withAttributes({}, 1);
const scope: Schema = { fields: { 1: one('name', 'text') } };
const request = (record: Schema): Schema => ({
  fields: {
    1: many('resources', {
      fields: {
        1: one('resource', resource),
        2: many('scopes', { fields: { 1: one('scope', scope), 2: many('records', record) } }),
      },
    }),
  },
});

const requests: Record<string, Schema> = {
  '/v1/traces': request(span),
  '/v1/logs': request(logRecord),
  '/v1/metrics': request(metric),
};

/** Decodes the body posted to an OTLP/HTTP path; throws for any other path and for bytes that are no protobuf. */
export function decodeExportRequest(path: string, body: Buffer): Message {
  const schema = requests[path];
  if (!schema) throw new Error(`no OTLP path: ${path}`);
  return readMessage(body, schema) as Message;
}

function readMessage(bytes: Buffer, schema: Schema): unknown {
  const message: Message = {};
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the bytes end inside a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    const raw = bytes.subarray(at, at + length);
    if (raw.length !== length) throw new Error('the bytes end inside a field');
    at += length;
    return raw;
  };
  const put = (field: Field, value: unknown) => {
    if (!field.many) message[field.name] = value;
    else if (Array.isArray(message[field.name])) (message[field.name] as unknown[]).push(value);
    else message[field.name] = [value];
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = schema.fields[tag >>> 3];
    const wire = tag & 7;
    if (wire === 0) {
      const value = varint();
      if (field) put(field, scalar(field.kind, value));
    } else if (wire === 1 || wire === 5) {
      const raw = take(wire === 1 ? 8 : 4);
      if (field) put(field, fixed(field.kind, raw));
    } else if (wire === 2) {
      const raw = take(Number(varint()));
      if (!field) continue;
      if (field.kind === 'text') put(field, raw.toString('utf8'));
      else if (field.kind === 'hex') put(field, raw.toString('hex'));
      else if (typeof field.kind === 'object') put(field, readMessage(raw, field.kind));
      // Repeated numbers come packed.
      else for (let from = 0; from < raw.length; from += 8) put(field, fixed(field.kind, raw.subarray(from, from + 8)));
    } else throw new Error(`wire type ${wire}`);
  }
  return schema.finish ? schema.finish(message) : message;
}

function scalar(kind: Kind, value: bigint): unknown {
  if (kind === 'flag') return value !== 0n;
  return Number(kind === 'signed' ? BigInt.asIntN(64, value) : value);
}

function fixed(kind: Kind, raw: Buffer): unknown {
  if (kind === 'double') return raw.readDoubleLE();
  if (kind === 'signedFixed') return Number(raw.readBigInt64LE());
  return raw.length === 4 ? raw.readUInt32LE() : raw.readBigUInt64LE();
}

function toMap(pairs: unknown): Map<string, unknown> {
  return new Map(((pairs ?? []) as { key: string; value: unknown }[]).map(({ key, value }) => [key, value ?? null]));
}
