import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeTraces, OtlpDecodeError } from './index.ts';
import { decodeAny } from './testing/decode-any.ts';

const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const SPAN_ID = 'eee19b7ec3c1b174';
const IDS = `"traceId":"${TRACE_ID}","spanId":"${SPAN_ID}"`;

/** A request with one span of the given fields, as text. */
const withSpan = (fields: string) => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${IDS},${fields}}]}]}]}`;
const withValue = (value: string) => withSpan(`"attributes":[{"key":"k","value":${value}}]`);

function decode(text: string | Uint8Array) {
  return decodeAny('traces', typeof text === 'string' ? Buffer.from(text) : text, 'json');
}

function decodedValue(text: string): unknown {
  const [row] = decode(withValue(text)).rows as { attributes: [string, unknown][] }[];
  return row.attributes[0][1];
}

function failure(text: string | Uint8Array): OtlpDecodeError {
  try {
    decode(text);
  } catch (error) {
    if (error instanceof OtlpDecodeError) {
      return error;
    }
    throw error;
  }
  throw new Error('decoded');
}

// The cases json.* of receiver_cases.json: OTLP specification, "JSON Protobuf Encoding".
describe('OTLP/JSON', () => {
  it('json.hex_ids: reads ids as hexadecimal in either case', () => {
    const text = withSpan(
      `"parentSpanId":"EEE19B7EC3C1B173","links":[{"traceId":"${TRACE_ID.toUpperCase()}","spanId":"${SPAN_ID}"}]`,
    ).replace(TRACE_ID, TRACE_ID.toUpperCase());
    expect(decode(text).rows).toMatchObject([
      { traceId: TRACE_ID, parentSpanId: 'eee19b7ec3c1b173', links: [{ traceId: TRACE_ID, spanId: SPAN_ID }] },
    ]);
  });

  it('json.enum_int: takes numbers of enums, refuses names', () => {
    expect(decode(withSpan('"kind":2,"status":{"code":2}')).rows).toMatchObject([{ kind: 2, statusCode: 2 }]);
    const text = withSpan('"kind":"SPAN_KIND_SERVER"');
    expect(failure(text).message).toMatch(/name of an enum value/);
    expect(failure(text).position).toBe(text.indexOf('"SPAN_KIND'));
  });

  it('json.unknown_fields: ignores them at every level', () => {
    const unknown = '"x":{"a":[1,-2.5e3,"\\u00e9",{"b":null,"c":true,"d":[]}],"e":{}},"y":[[[]]],"z":false';
    const value = `{${unknown},"kvlistValue":{${unknown},"values":[{${unknown},"key":"a","value":{"intValue":1,${unknown}}}]},${unknown}}`;
    const attribute = `{${unknown},"key":"k","value":${value},${unknown}}`;
    const span = `{${unknown},${IDS},"attributes":[${attribute}],"status":{${unknown}},"events":[{${unknown}}],"links":[{${unknown}}]}`;
    const scope = `"scope":{${unknown},"name":"lib"}`;
    const resource = `"resource":{${unknown}}`;
    const text = `{${unknown},"resourceSpans":[{${unknown},${resource},"scopeSpans":[{${scope},"spans":[${span}],${unknown}}]}]}`;
    const { rows } = decode(text);
    expect(rows).toMatchObject([{ scope: { name: 'lib' }, attributes: [['k', { entries: [['a', 1n]] }]] }]);
  });

  it('json.lower_camel: takes snake_case names for unknown', () => {
    expect(decode(withSpan('"dropped_attributes_count":5,"start_time_unix_nano":"7"')).rows).toMatchObject([
      { droppedAttributesCount: 0, startTime: 0n },
    ]);
  });

  it.each([
    ['"123"', 123n],
    ['123', 123n],
    ['"9223372036854775807"', 2n ** 63n - 1n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['"-9223372036854775808"', -(2n ** 63n)],
    ['9007199254740993', 9007199254740993n],
    ['1000000000', 10n ** 9n],
    ['999999999999999999', 999999999999999999n],
    ['1000000000000000000', 10n ** 18n],
    ['-0', 0n],
    // The JSON mapping of protobuf takes exponents and fractions of zeros.
    ['1e3', 1000n],
    ['"1.50e2"', 150n],
    ['1.000', 1n],
    ['0e999', 0n],
  ])('json.int64: reads %s without loss', (text, expected) => {
    expect(decodedValue(`{"intValue":${text}}`)).toBe(expected);
  });

  it('json.int64: reads times as strings or numbers', () => {
    const text = withSpan('"startTimeUnixNano":"1760000000123456789","endTimeUnixNano":1760000000123456789');
    expect(decode(text).rows).toMatchObject([{ startTime: 1760000000123456789n, endTime: 1760000000123456789n }]);
    expect(decode(withSpan('"endTimeUnixNano":"18446744073709551615"')).rows).toMatchObject([
      { endTime: 2n ** 64n - 1n },
    ]);
  });

  it.each([
    ['AAAwOQ==', [0, 0, 48, 57]],
    ['AAAwOQ', [0, 0, 48, 57]],
    ['-_8=', [251, 255]],
    ['+/8', [251, 255]],
    ['', []],
  ])('json.bytes: reads base64 %j', (text, expected) => {
    expect(decodedValue(`{"bytesValue":"${text}"}`)).toEqual(Uint8Array.from(expected));
  });

  it.each([
    ['"NaN"', Number.NaN],
    ['"Infinity"', Number.POSITIVE_INFINITY],
    ['"-Infinity"', Number.NEGATIVE_INFINITY],
    ['"1.5"', 1.5],
    ['-1.5e-3', -0.0015],
    ['5', 5],
    ['5e-324', 5e-324],
  ])('json.nonfinite: reads the double %s', (text, expected) => {
    expect(decodedValue(`{"doubleValue":${text}}`)).toBe(expected);
  });

  it('takes null for absent, for every type of field', () => {
    const fields = ['traceState', 'parentSpanId', 'name', 'kind', 'startTimeUnixNano', 'attributes', 'events', 'links'];
    const text = withSpan([...fields, 'status', 'droppedEventsCount'].map((name) => `"${name}":null`).join());
    expect(decode(text).rows).toMatchObject([{ name: '', kind: 0, startTime: 0n, attributes: [], events: [] }]);
    expect(decodedValue('{"stringValue":null,"intValue":1,"arrayValue":null,"boolValue":null}')).toBe(1n);
    expect(decode('{"resourceSpans":null}').rows).toEqual([]);
  });

  it('finds the resource after its spans', () => {
    const resource = '"resource":{"attributes":[{"value":{"stringValue":"shop"},"key":"service.name"}]}';
    const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[{${IDS}}],"scope":{"name":"lib"}}],${resource}}]}`;
    expect(decode(text).rows).toMatchObject([{ resource: { service: 'shop' }, scope: { name: 'lib' } }]);
  });

  it.each([
    ['\\"\\\\\\/\\b\\f\\n\\r\\t', '"\\/\b\f\n\r\t'],
    ['\\u0041\\u00e9\\u20AC\\ud83d\\ude00', 'Aé€😀'],
    ['é€😀', 'é€😀'],
    ['a\\u0000b', 'a\u0000b'],
    // Half pairs: JSON.stringify of JavaScript writes them so.
    ['\\ud83d', '\ufffd'],
    ['\\ude00x', '\ufffdx'],
    ['\\ud83d\\u0041', '\ufffdA'],
    ['\\ud83d\\ud83d\\ude00', '\ufffd😀'],
  ])('unescapes %s', (text, expected) => {
    expect(decodedValue(`{"stringValue":"${text}"}`)).toBe(expected);
    expect(decodedValue(`{"arrayValue":{"values":[{"stringValue":"${text}"}]}}`)).toEqual([expected]);
  });

  it('knows a field whose name is escaped', () => {
    expect(decode(withSpan('"na\\u006de":"x"')).rows).toMatchObject([{ name: 'x' }]);
  });

  it.each<[string, string, RegExp, number]>([
    ['nothing', '', /unexpected end/, 0],
    ['spaces', '  ', /unexpected end/, 2],
    ['no object', '[]', /expected an object/, 0],
    ['a byte order mark', '\ufeff{}', /expected an object/, 0],
    ['trailing garbage', '{} x', /something follows/, 3],
    ['a second text', '{}{}', /something follows/, 2],
    ['a trailing comma', '{"a":1,}', /field name in quotes/, 7],
    ['a trailing comma in an array', '{"a":[1,]}', /expected a number/, 8],
    ['a missing colon', '{"a" 1}', /expected ':'/, 5],
    ['a missing comma', '{"a":1 "b":2}', /expected ',' or '}'/, 7],
    ['a name without quotes', '{a:1}', /field name in quotes/, 1],
    ['single quotes', "{'a':1}", /field name in quotes/, 1],
    ['an unknown word', '{"a":nil}', /expected null/, 5],
    ['a leading zero', '{"a":01}', /leading zero/, 5],
    ['a bare minus', '{"a":-}', /expected a number/, 6],
    ['a bare exponent', '{"a":1e}', /expected a number/, 7],
    ['NaN without quotes', '{"a":NaN}', /expected a number/, 5],
    ['a line feed in a string', '{"a":"\n"}', /control character/, 6],
    ['an unknown escape', '{"a":"\\x41"}', /unknown escape/, 6],
    ['a short \\u', '{"a":"\\u12g4"}', /four hexadecimal digits/, 10],
    ['a string without an end', '{"a":"b', /unexpected end/, 7],
  ])('refuses %s, and says where', (_, text, message, position) => {
    expect(failure(text).message).toMatch(message);
    expect(failure(text).message).toMatch(new RegExp(`at byte ${position}$`));
    expect(failure(text).position).toBe(position);
  });

  it.each<[string, string, RegExp]>([
    ['an array for an object', '{"resourceSpans":[[]]}', /expected an object/],
    ['an object for an array', '{"resourceSpans":{}}', /expected an array/],
    ['a number for a string', withSpan('"name":1'), /expected a string/],
    ['a string for a bool', withValue('{"boolValue":"true"}'), /expected true or false/],
    ['words for an integer', withValue('{"intValue":"one"}'), /expected a number/],
    ['a fraction for an integer', withValue('{"intValue":1.5}'), /not an int64/],
    ['2^63 for an int64', withValue('{"intValue":"9223372036854775808"}'), /not an int64/],
    ['2^64 for a time', withSpan('"startTimeUnixNano":18446744073709551616'), /not an uint64/],
    ['a negative time', withSpan('"startTimeUnixNano":"-1"'), /not an uint64/],
    ['2^32 for a uint32', withSpan('"flags":4294967296'), /not an uint32/],
    ['a huge exponent', withValue('{"intValue":1e999999999}'), /not an int64/],
    ['a thousand digits', withValue(`{"intValue":${'9'.repeat(1000)}}`), /not an int64/],
    ['an integer in an open string', withValue('{"intValue":"1}'), /expected a number/],
    ['a double that is too large', withValue('{"doubleValue":1e999}'), /outside the range/],
    ['Infinite', withValue('{"doubleValue":"Infinite"}'), /expected a number/],
    ['-Inf', withValue('{"doubleValue":"-Inf"}'), /expected a number/],
    ['what is not base64', withValue('{"bytesValue":"a*=="}'), /not base64/],
    ['base64 of five digits', withValue('{"bytesValue":"AAAAA"}'), /impossible length/],
  ])('refuses %s', (_, text, message) => {
    expect(failure(text).message).toMatch(message);
  });

  it.each([
    [[0xff], 0],
    [[0xc3], 0],
    [[0xe2, 0x82], 0],
    [[0xc0, 0x80], 0],
    [[0xed, 0xa0, 0x80], 0],
    [[0xc3, 0xa9, 0x80], 2],
  ])('refuses the bytes %j in a string, which are not UTF-8', (bytes, offset) => {
    const before = Buffer.from(`{"a":"${'é'.repeat(500)}`);
    const text = Buffer.concat([before, Buffer.from(bytes), Buffer.from(`${'é'.repeat(300)}"}`)]);
    expect(failure(text).message).toMatch(/invalid UTF-8/);
    expect(failure(text).position).toBe(before.length + offset);
  });

  it('bounds how deep unknown fields and values nest', () => {
    const unknown = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(decode(unknown(500)).rows).toEqual([]);
    expect(failure(unknown(600)).message).toMatch(/nested more than 512 deep/);
    expect(failure(`{"a":${'['.repeat(1_000_000)}`).message).toMatch(/nested/);
    expect(failure(`{"a":${'{"a":'.repeat(1_000_000)}`).message).toMatch(/nested/);
    const array = (depth: number) => `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`;
    expect(decodedValue(array(64))).toBeDefined();
    expect(failure(withValue(array(65))).message).toMatch(/nested more than 64 deep/);
  });

  it('rejects spans with bad ids, keeps the others', () => {
    const bad = ['""', '"zz8efff798038103d269b633813fc60c"', '"5b8e"', `"${'0'.repeat(32)}"`, 'null'];
    const spans = bad.map((traceId) => `{"traceId":${traceId},"spanId":"${SPAN_ID}","attributes":[{"key":"bad"}]}`);
    const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()},{${IDS}}]}]}]}`;
    const { rows, rejected } = decode(text);
    expect(rejected).toEqual({ count: 5, reason: 'spans without a valid trace id of 16 bytes (5)' });
    expect(rows).toMatchObject([{ traceId: TRACE_ID, attributes: [] }]);
  });

  it('takes its bytes over', () => {
    const bytes = Buffer.from(withSpan('"name":"a\\nb"'));
    expect(decodeTraces(bytes, 'json').batch.bytes).toBe(bytes);
  });
});

const EXAMPLES = join(
  process.env.SIGNALBOX_CONFORMANCE ?? fileURLToPath(new URL('../../../../shared/conformance', import.meta.url)),
  'otlp/examples',
);
const present = existsSync(EXAMPLES);

describe(`the examples of opentelemetry-proto${present ? '' : ` (skipped: ${EXAMPLES} is missing)`}`, () => {
  const example = (name: string) => readFileSync(join(EXAMPLES, name));

  it.skipIf(!present)('trace.json', () => {
    expect(decodeAny('traces', example('trace.json'), 'json')).toMatchObject({
      rejected: null,
      rows: [
        {
          resource: { service: 'my.service' },
          scope: { name: 'my.library', version: '1.0.0', attributes: [['my.scope.attribute', 'some scope attribute']] },
          traceId: '5b8efff798038103d269b633813fc60c',
          spanId: 'eee19b7ec3c1b174',
          parentSpanId: 'eee19b7ec3c1b173',
          name: "I'm a server span",
          kind: 2,
          startTime: 1544712660000000000n,
          endTime: 1544712661000000000n,
          attributes: [['my.span.attr', 'some value']],
        },
      ],
    });
  });

  it.skipIf(!present)('logs.json and events.json', () => {
    expect(decodeAny('logs', example('logs.json'), 'json').rows).toMatchObject([
      {
        severityNumber: 10,
        severityText: 'Information',
        body: 'Example log record',
        attributes: [
          ['string.attribute', 'some string'],
          ['boolean.attribute', true],
          ['int.attribute', 10n],
          ['double.attribute', 637.704],
          ['array.attribute', ['many', 'values']],
          ['map.attribute', { entries: [['some.map.key', 'some value']] }],
        ],
      },
    ]);
    expect(decodeAny('logs', example('events.json'), 'json').rows).toMatchObject([{ eventName: 'browser.page_view' }]);
  });

  it.skipIf(!present)('metrics.json', () => {
    const { rows, rejected } = decodeAny('metrics', example('metrics.json'), 'json');
    expect(rejected).toBeNull();
    expect(rows).toMatchObject([
      { metric: { name: 'my.counter', type: 2, temporality: 1, monotonic: true }, value: 5 },
      { metric: { name: 'my.gauge', type: 1 }, value: 10 },
      { metric: { name: 'my.histogram', type: 3 }, count: 2n, sum: 2, bucketCounts: [1n, 1n], explicitBounds: [1] },
      { metric: { name: 'my.exponential.histogram', type: 4 }, count: 3n, positiveCounts: [0n, 2n] },
    ]);
  });
});
