import { describe, expect, it } from 'vitest';
import { decodeLogs, decodeMetrics, decodeTraces, OtlpDecodeError } from './index.ts';
import { decodeAny, SIGNALS } from './testing/decode-any.ts';
import { field, IDS, message, request, SPAN_ID, TRACE_ID, varint } from './testing/protobuf-fields.ts';

const doubles = (...values: number[]) => Buffer.from(new Float64Array(values).buffer);
const counts = (...values: bigint[]) => Buffer.from(new BigUint64Array(values).buffer);

function span(...fields: Uint8Array[]) {
  const { rows, rejected } = decodeAny('traces', request(Buffer.concat([IDS, ...fields])), 'protobuf');
  return { row: rows[0], rejected };
}

function failure(bytes: Uint8Array): OtlpDecodeError {
  try {
    decodeTraces(bytes, 'protobuf');
  } catch (error) {
    if (error instanceof OtlpDecodeError) {
      return error;
    }
    throw error;
  }
  throw new Error('decoded');
}

describe('protobuf', () => {
  it.each(SIGNALS)('takes an empty request of %s', (signal) => {
    expect(decodeAny(signal, new Uint8Array(), 'protobuf')).toEqual({ rows: [], rejected: null });
  });

  it('finds the resource and the scope after their spans', () => {
    const name = message(1, message(1, 'service.name'), message(2, message(1, 'shop')));
    const scopeSpans = message(2, message(2, IDS), message(1, message(1, 'lib')));
    const { rows } = decodeAny('traces', message(1, scopeSpans, message(1, name)), 'protobuf');
    expect(rows).toMatchObject([{ resource: { service: 'shop' }, scope: { name: 'lib' } }]);
  });

  it('reads lengths in more bytes than they need', () => {
    const padded = (field: number, ...parts: Uint8Array[]) => {
      const content = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([(field << 3) | 2, content.length | 0x80, 0x80, 0]), content]);
    };
    const value = (text: string) => padded(2, padded(1, Buffer.from(text)));
    const attribute = (name: string, text: string) => padded(9, padded(1, Buffer.from(name)), value(text));
    const usual = message(9, message(1, 'b'), message(2, message(1, 'usual')));
    const { row } = span(attribute('a', 'padded'), usual, usual, attribute('c', ''), usual);
    expect(row).toMatchObject({
      attributes: [
        ['a', 'padded'],
        ['b', 'usual'],
        ['b', 'usual'],
        ['c', ''],
        ['b', 'usual'],
      ],
    });
  });

  it.each([
    ['a tag behind a number', [0x18, 5, 0x18]],
    ['a number that does not end', [0x18, 0x85]],
    ['a tag behind a boolean', [0x10, 1, 0x18]],
    ['a text that is cut off', [0x0a, 9, 0x78]],
  ])('refuses an attribute with %s', (_, value) => {
    const attribute = message(9, message(1, 'key'), message(2, Buffer.from(value)));
    const follower = message(9, message(1, 'next'), message(2, message(1, 'text')));
    failure(request(Buffer.concat([IDS, attribute, follower])));
  });

  it('merges a message that comes twice, takes the last of scalars', () => {
    const { row } = span(
      message(5, 'first'),
      message(15, field(3, 0, varint(2))),
      message(5, 'last'),
      message(15, message(2, 'no')),
    );
    expect(row).toMatchObject({ name: 'last', statusCode: 2, statusMessage: 'no' });
  });

  it('takes the last of a oneof', () => {
    const value = Buffer.concat([message(1, 'text'), field(2, 0, varint(1)), field(3, 0, varint(-7))]);
    expect(span(message(9, message(1, 'k'), message(2, value))).row).toMatchObject({ attributes: [['k', -7n]] });
    expect(span(message(9, message(2, value), message(1, 'k'))).row).toMatchObject({ attributes: [['k', -7n]] });
  });

  it('reads attributes of every length, whatever follows them', () => {
    for (const length of [0, 1, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 300]) {
      const text = 'x'.repeat(length);
      const ofValue = message(9, message(1, 'k'), message(2, message(1, text)));
      expect(span(ofValue, message(5, 'n')).row).toMatchObject({ name: 'n', attributes: [['k', text]] });
      const ofKey = message(9, message(1, text), message(2, field(3, 0, varint(-1))));
      expect(span(message(5, 'n'), ofKey).row).toMatchObject({ name: 'n', attributes: [[text, -1n]] });
    }
  });

  it('skips unknown fields of every wire type, at every level', () => {
    const unknown = Buffer.concat([
      field(100, 0, varint(2n ** 64n - 1n)),
      field(101, 1, new Uint8Array(8)),
      message(102, 'anything'),
      field(103, 5, new Uint8Array(4)),
      field(536870911, 0, varint(0)),
    ]);
    const value = message(2, unknown, message(1, 'v'), unknown);
    const record = Buffer.concat([unknown, IDS, message(9, unknown, message(1, 'k'), value, unknown), unknown]);
    const body = Buffer.concat([unknown, message(1, unknown, message(2, unknown, message(2, record), unknown))]);
    expect(decodeAny('traces', body, 'protobuf').rows).toMatchObject([{ attributes: [['k', 'v']] }]);
  });

  it('skips known fields of a wrong wire type as unknown', () => {
    expect(span(field(5, 0, varint(9)), message(6, 'x'), field(7, 0, varint(1))).row).toMatchObject({
      name: '',
      kind: 0,
      startTime: 0n,
    });
  });

  it('takes negative and unknown enum values for unspecified, and the low bits of wide integers', () => {
    expect(
      span(field(6, 0, varint(-1)), message(15, field(3, 0, varint(77))), field(10, 0, varint(2n ** 32n + 5n))).row,
    )
      // Protobuf, "Updating a message type": a 64-bit number read as 32 bits is truncated.
      .toMatchObject({ kind: 0, statusCode: 0, droppedAttributesCount: 5 });
  });

  it('takes varints of ten bytes with superfluous zeros', () => {
    const three = Buffer.from([0x83, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);
    expect(span(field(6, 0, three)).row).toMatchObject({ kind: 3 });
  });

  it('takes packed and unpacked numbers, also mixed', () => {
    const point = Buffer.concat([
      field(6, 1, counts(1n)),
      message(6, counts(2n, 3n)),
      message(7, doubles(1)),
      field(7, 1, doubles(2)),
    ]);
    const buckets = Buffer.concat([field(2, 0, varint(300)), message(2, varint(1), varint(2n ** 64n - 1n))]);
    const body = request(
      Buffer.concat([message(1, 'h'), message(9, message(1, point))]),
      Buffer.concat([message(1, 'e'), message(10, message(1, message(8, buckets)))]),
    );
    expect(decodeAny('metrics', body, 'protobuf')).toMatchObject({
      rejected: null,
      rows: [{ bucketCounts: [1n, 2n, 3n], explicitBounds: [1, 2] }, { positiveCounts: [300n, 1n, 2n ** 64n - 1n] }],
    });
  });

  it('takes the last of the kinds that a metric says it is', () => {
    const point = message(1, field(4, 1, doubles(1)));
    const body = request(
      Buffer.concat([message(1, 'm'), message(5, point), message(7, point, field(3, 0, varint(1)))]),
    );
    const { rows } = decodeAny('metrics', body, 'protobuf');
    expect(rows).toHaveLength(1);
    expect(rows).toMatchObject([{ metric: { type: 2, monotonic: true } }]);
  });

  describe('refuses', () => {
    it.each<[string, Uint8Array, RegExp]>([
      ['a group', Buffer.concat([field(50, 3), field(50, 4)]), /wire type 3 of field 50.* at byte 2$/],
      ['a stray end of a group', field(50, 4), /wire type 4/],
      ['wire type 6', field(50, 6), /wire type 6/],
      ['field number 0', Buffer.from([0x02, 0x00]), /field number out of range at byte 0$/],
      ['a field number above 2^29', Buffer.concat([varint(2n ** 32n + 8n), varint(0)]), /field number out of range/],
      [
        'a varint of eleven bytes',
        Buffer.concat([varint(800), Buffer.alloc(10, 0xff), Buffer.from([1])]),
        /more than 10/,
      ],
      ['a truncated varint', Buffer.concat([varint(800), Buffer.from([0x80])]), /truncated varint at byte 2$/],
      [
        'a length beyond the end',
        message(1, 'abc').subarray(0, 4),
        /length runs over the end of its message at byte 1$/,
      ],
      ['a length of 2^63', field(1, 2, varint(2n ** 63n)), /length runs over/],
      ['a length of 2^32', field(1, 2, varint(2n ** 32n)), /length runs over/],
      ['a length of 4 GB less one', field(1, 2, varint(2n ** 32n - 1n)), /length runs over/],
      ['a number that runs over its message', message(1, field(9, 1, new Uint8Array(3))), /runs over the end/],
      ['a number that runs over the request', field(9, 1, new Uint8Array(3)), /runs over the end/],
    ])('%s', (_, bytes, expected) => {
      expect(failure(bytes).message).toMatch(expected);
    });

    it('lengths of inner messages beyond the outer, in every message', () => {
      // The inner length reaches into the outer's neighbour, but not over the end of the request.
      const long = field(5, 2, varint(4), Buffer.from('a'));
      const body = Buffer.concat([
        message(1, message(2, field(2, 2, varint(IDS.length + 3), IDS, long))),
        Buffer.alloc(64),
      ]);
      expect(failure(body).message).toMatch(/over the end of its message/);
    });
  });

  it('bounds how deep values nest', () => {
    const nested = (depth: number, wrap: (inner: Buffer) => Buffer) => {
      let value: Buffer = message(1, 'deep');
      for (let i = 0; i < depth; i++) {
        value = wrap(value);
      }
      return value;
    };
    const array = (inner: Buffer) => message(5, message(1, inner));
    const list = (inner: Buffer) => message(6, message(1, message(1, 'k'), message(2, inner)));
    for (const wrap of [array, list]) {
      expect(span(message(9, message(1, 'k'), message(2, nested(64, wrap)))).row).toBeDefined();
      const body = request(Buffer.concat([IDS, message(9, message(2, nested(65, wrap)))]));
      expect(failure(body).message).toMatch(/nested more than 64 deep/);
    }
    const hopeless = request(message(5, nested(2_000, array)));
    expect(() => decodeLogs(hopeless, 'protobuf')).toThrow(OtlpDecodeError);
  });

  it('refuses more rows than a batch holds, whatever the bytes allow', () => {
    const empty = Buffer.alloc(2 * ((1 << 22) + 1));
    for (let i = 0; i < empty.length; i += 2) {
      empty[i] = 0x4a;
    }
    const body = message(1, message(2, message(2, IDS, empty)));
    expect(failure(body).message).toMatch(/more than 4194304 attributes/);
  });
});

describe('rejected', () => {
  const log = (...fields: Uint8Array[]) => decodeAny('logs', request(Buffer.concat(fields)), 'protobuf');
  const metric = (...fields: Uint8Array[]) => decodeAny('metrics', request(Buffer.concat(fields)), 'protobuf');

  it.each<[string, Uint8Array, RegExp]>([
    ['no trace id', message(2, SPAN_ID), /trace id/],
    ['a trace id of zeros', Buffer.concat([message(1, Buffer.alloc(16)), message(2, SPAN_ID)]), /trace id/],
    ['a trace id of 15 bytes', Buffer.concat([message(1, TRACE_ID.subarray(1)), message(2, SPAN_ID)]), /trace id/],
    ['a trace id of 17 bytes', Buffer.concat([message(1, TRACE_ID, 'x'), message(2, SPAN_ID)]), /trace id/],
    ['a span id of zeros', Buffer.concat([message(1, TRACE_ID), message(2, Buffer.alloc(8))]), /span id/],
    ['no span id', message(1, TRACE_ID), /span id/],
    ['a parent id of 7 bytes', Buffer.concat([IDS, message(4, SPAN_ID.subarray(1))]), /parent/],
  ])('is a span with %s, and no other', (_, bad, reason) => {
    const good = Buffer.concat([IDS, message(5, 'good'), message(9, message(1, 'k'), message(2, message(1, 'v')))]);
    const extra = Buffer.concat([message(9, message(1, 'bad')), message(11, message(2, 'bad')), message(13, IDS)]);
    const body = request(good, Buffer.concat([extra, bad, extra]), good);
    const { rows, rejected } = decodeAny('traces', body, 'protobuf');
    expect(rejected).toEqual({ count: 1, reason: expect.stringMatching(reason) });
    const kept = { name: 'good', attributes: [['k', 'v']], events: [], links: [] };
    expect(rows).toHaveLength(2);
    expect(rows).toMatchObject([kept, kept]);
  });

  it('is no span for a link, but the link, which counts as dropped', () => {
    const link = message(13, message(1, 'short'), message(4, message(1, 'k')));
    const { row, rejected } = span(link, message(13, IDS), field(14, 0, varint(2)), link, message(13));
    expect(rejected).toBeNull();
    expect(row).toMatchObject({
      droppedLinksCount: 4,
      links: [{ traceId: TRACE_ID.toString('hex'), attributes: [] }, { traceId: '0'.repeat(32) }],
    });
  });

  it('is no log record: its invalid ids are taken for absent', () => {
    const { rows, rejected } = log(message(9, 'short'), message(10, 'far too long'), message(3, 'INFO'));
    expect(rejected).toBeNull();
    expect(rows).toMatchObject([{ traceId: '0'.repeat(32), spanId: '0'.repeat(16), severityText: 'INFO' }]);
  });

  it('are points without a value, unless they say so', () => {
    const { rows, rejected } = metric(message(1, 'm'), message(5, message(1), message(1, field(8, 0, varint(1)))));
    expect(rejected).toEqual({ count: 1, reason: 'data points without a value (1)' });
    expect(rows).toMatchObject([{ flags: 1, value: null }]);
  });

  it('are points of metrics without a name', () => {
    const { rows, rejected } = metric(
      message(5, message(1, field(4, 1, doubles(1))), message(1, field(4, 1, doubles(2)))),
    );
    expect(rejected).toMatchObject({ count: 2, reason: expect.stringMatching(/without a name/) });
    expect(rows).toEqual([]);
  });

  it.each([
    ['more bounds than buckets', [1n, 2n], [1, 2]],
    ['bounds but no buckets', [], [1]],
    ['two buckets and no bounds', [1n, 2n], []],
    ['bounds that fall', [1n, 2n, 3n], [2, 1]],
    ['bounds that repeat', [1n, 2n, 3n], [1, 1]],
    ['a bound that is no number', [1n, 2n], [Number.NaN]],
  ])('are histogram points with %s', (_, bucketCounts, bounds) => {
    const bad = message(1, message(6, counts(...bucketCounts)), message(7, doubles(...bounds)));
    const good = message(1, message(6, counts(7n)));
    const { rows, rejected } = metric(message(1, 'm'), message(9, good, bad, good));
    expect(rejected?.count).toBe(1);
    expect(rows).toMatchObject([
      { bucketCounts: [7n], explicitBounds: [] },
      { bucketCounts: [7n], explicitBounds: [] },
    ]);
  });

  it('rows are counted by reason', () => {
    const { rejected } = decodeTraces(request(message(1, 'x'), message(1, 'y'), message(1, TRACE_ID)), 'protobuf');
    expect(rejected).toEqual({
      count: 3,
      reason: 'spans without a valid trace id of 16 bytes (2); spans without a valid span id of 8 bytes (1)',
    });
  });

  it('are none: rowCount counts data points', () => {
    const point = message(1, field(4, 1, doubles(1)));
    const { batch } = decodeMetrics(request(Buffer.concat([message(1, 'm'), message(5, point, point)])), 'protobuf');
    expect(batch.rowCount).toBe(2);
  });
});
