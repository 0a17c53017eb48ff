import { decodeLogs, decodeMetrics, decodeTraces } from '@signalbox/otlp';
import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import { OttlCompiler } from './compile.ts';
import { DATAPOINT_DIALECT, LOG_DIALECT, METRIC_DIALECT, SPAN_DIALECT, SPAN_EVENT_DIALECT } from './dialects.ts';
import { LogCursor } from './log-cursor.ts';
import { MetricCursor } from './metric-cursor.ts';
import { OttlError, OttlValueError } from './ottl-error.ts';
import { SpanCursor } from './span-cursor.ts';

// What is expected here follows the documentation of OTTL (pkg/ottl/LANGUAGE.md and ottlfuncs/README.md of the Collector), and was
// compared with what its own package (pkg/ottl v1.4.1) makes of the same statements; docs/processors.md says where they differ.

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const int = (key: string, value: number) => ({ key, value: { intValue: String(value) } });

const SPAN = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  parentSpanId: '',
  traceState: 'a=1, b=2',
  name: 'GET /product/42',
  kind: 2,
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000000500000000',
  status: { code: 2, message: 'boom' },
  attributes: [
    text('http.method', 'GET'),
    int('http.status_code', 503),
    text('user.email', 'ann@example.com'),
    { key: 'ratio', value: { doubleValue: 0.5 } },
    { key: 'ok', value: { boolValue: false } },
    { key: 'empty', value: {} },
    { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
    { key: 'nested', value: { kvlistValue: { values: [text('x', 'deep'), int('n', 1)] } } },
  ],
  events: [
    { timeUnixNano: '1700000000100000000', name: 'exception', attributes: [text('exception.type', 'TypeError')] },
  ],
};

function spanCursor(): SpanCursor {
  const resourceSpans = [
    {
      resource: { attributes: [text('service.name', 'shop'), text('host.name', 'host-1')] },
      scopeSpans: [{ scope: { name: 'lib', version: '1.2' }, spans: [SPAN] }],
    },
  ];
  const { batch } = decodeTraces(Buffer.from(JSON.stringify({ resourceSpans })), 'json');
  const cursor = new SpanCursor(batch);
  cursor.moveTo(0);
  return cursor;
}

function logCursor(body: unknown = { stringValue: 'hello' }): LogCursor {
  const record = { timeUnixNano: '1', severityNumber: 9, severityText: 'INFO', body, attributes: [text('a', 'b')] };
  const resourceLogs = [{ scopeLogs: [{ logRecords: [record] }] }];
  const { batch } = decodeLogs(Buffer.from(JSON.stringify({ resourceLogs })), 'json');
  const cursor = new LogCursor(batch);
  cursor.moveTo(0);
  return cursor;
}

const evaluate = (expression: string) => OttlCompiler.expression(SPAN_DIALECT, expression)(spanCursor());
const holds = (condition: string) => OttlCompiler.condition(SPAN_DIALECT, condition)(spanCursor());

/** The span after the statements. */
function after(...statements: string[]) {
  const cursor = spanCursor();
  for (const statement of statements) {
    OttlCompiler.statement(SPAN_DIALECT, statement)(cursor);
  }
  cursor.finish();
  const [span] = spanObjects(cursor.spans);
  if (span === undefined) throw new Error('no span');
  return { ...span, attributes: Object.fromEntries(span.attributes) };
}

describe('values', () => {
  it.each([
    ['"a\\"b\\n"', 'a"b\n'],
    ['"\\\\d+"', '\\d+'],
    ['-7', -7n],
    ['9223372036854775807', 9223372036854775807n],
    ['.5', 0.5],
    ['-1.5e3', -1500],
    ['true', true],
    ['nil', null],
    ['0x00ff', Uint8Array.of(0, 255)],
    ['SPAN_KIND_SERVER', 2n],
    ['SEVERITY_NUMBER_ERROR', 17n],
    ['SEVERITY_NUMBER_FATAL4', 24n],
    ['STATUS_CODE_ERROR', 2n],
    ['METRIC_DATA_TYPE_SUMMARY', 5n],
    ['[1, "a"]', [1n, 'a']],
    ['{"a": {"b": 2}}', { entries: [['a', { entries: [['b', 2n]] }]] }],
    ['1 + 2 * 3', 7n],
    ['(1 + 2) * 3', 9n],
    ['7 / 2', 3n],
    ['-7 / 2', -3n],
    ['7.0 / 2.0', 3.5],
    ['1 - 2 - 3', -4n],
    ['end_time - start_time', { nanoseconds: 500_000_000n }],
    ['Milliseconds(end_time - start_time)', 500n],
    ['end_time_unix_nano - start_time_unix_nano', 500_000_000n],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected);
  });
});

describe('paths', () => {
  it.each([
    ['name', 'GET /product/42'],
    ['span.name', 'GET /product/42'],
    ['kind', 2n],
    ['kind.string', 'Server'],
    ['trace_id.string', '5b8efff798038103d269b633813fc60c'],
    ['span_id', Uint8Array.from(Buffer.from('eee19b7ec3c1b174', 'hex'))],
    ['parent_span_id.string', '0000000000000000'],
    ['trace_state["b"]', '2'],
    ['trace_state["c"]', ''],
    ['status.code', 2n],
    ['status.message', 'boom'],
    ['attributes["http.status_code"]', 503n],
    ['attributes["absent"]', null],
    ['attributes["empty"]', null],
    ['attributes["nested"]["x"]', 'deep'],
    ['attributes["tags"][1]', 'b'],
    ['attributes[Concat(["http", "method"], ".")]', 'GET'],
    ['resource.attributes["service.name"]', 'shop'],
    ['scope.name', 'lib'],
    ['instrumentation_scope.version', '1.2'],
    [
      'resource.attributes',
      {
        entries: [
          ['service.name', 'shop'],
          ['host.name', 'host-1'],
        ],
      },
    ],
  ])('%s', (path, expected) => {
    expect(evaluate(path)).toEqual(expected);
  });

  it('reach an event, and the span that it is of', () => {
    const cursor = spanCursor();
    cursor.moveToEvent(0, 0);
    const read = (expression: string) => OttlCompiler.expression(SPAN_EVENT_DIALECT, expression)(cursor);
    expect(read('name')).toBe('exception');
    expect(read('attributes["exception.type"]')).toBe('TypeError');
    expect(read('span.name')).toBe('GET /product/42');
    expect(read('event_index')).toBe(0n);
  });
});

describe('conditions', () => {
  it.each([
    ['name == "GET /product/42"', true],
    ['name != "GET /product/42"', false],
    ['"GET" == attributes["http.method"]', true],
    ['attributes["http.status_code"] >= 500', true],
    ['attributes["http.status_code"] >= 503.5', false],
    ['attributes["ratio"] < 1', true],
    ['attributes["absent"] == nil', true],
    ['attributes["empty"] == nil', true],
    ['attributes["absent"] != "x"', true],
    ['attributes["absent"] < 1', false],
    // Types that do not compare are unequal and in no order.
    ['attributes["http.method"] == 1', false],
    ['attributes["http.method"] != 1', true],
    ['attributes["http.method"] < 1', false],
    ['false < true', true],
    ['trace_id == TraceID(0x5b8efff798038103d269b633813fc60c)', true],
    ['span_id == SpanID("eee19b7ec3c1b174")', true],
    ['trace_id == nil', false],
    ['attributes["tags"] == ["a", "b"]', true],
    ['attributes["nested"] == {"n": 1, "x": "deep"}', true],
    ['kind == SPAN_KIND_SERVER and status.code == STATUS_CODE_ERROR', true],
    ['kind == 1 or kind == 2 and name == "x"', false],
    ['(kind == 1 or kind == 2) and name != "x"', true],
    ['not kind == 1', true],
    ['not (kind == 1 or kind == 2)', false],
    ['not not true', true],
    ['IsMatch(name, "^GET /product/\\\\d+$")', true],
    ['IsMatch(attributes["http.status_code"], "^5")', true],
    ['IsMatch(attributes["absent"], ".*")', false],
    ['IsRootSpan()', true],
    ['IsString(attributes["http.method"]) and not IsInt(attributes["http.method"])', true],
    ['(1 + 1) == 2', true],
    ['((kind == 2))', true],
    ['HasPrefix(name, "GET") and HasSuffix(name, "42")', true],
    ['end_time - start_time > Duration("499ms")', true],
    ['Time("2023-11-14", "%Y-%m-%d") < start_time', true],
  ])('%s is %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });
});

describe('converters', () => {
  it.each([
    ['Concat([attributes["http.method"], 1, nil, true], "-")', 'GET-1-<nil>-true'],
    ['Concat([span_id], "")', 'eee19b7ec3c1b174'],
    ['Split("a|b|c", "|")', ['a', 'b', 'c']],
    ['Split("a|b|c", "|")[1]', 'b'],
    ['Substring("123456789", 3, 3)', '456'],
    ['Len("ключ")', 8n],
    ['Len(attributes["tags"])', 2n],
    ['ToLowerCase("ABC")', 'abc'],
    ['ConvertCase("myMetricName", "snake")', 'my_metric_name'],
    ['ConvertCase("HTTPServer2XX", "snake")', 'http_server_2_xx'],
    ['ConvertCase("my_metric", "camel")', 'MyMetric'],
    ['ConvertCase("MY_METRIC", "lower")', 'my_metric'],
    ['Int("12")', 12n],
    ['Int("2.0")', null],
    ['Int(2.9)', 2n],
    ['Int(true)', 1n],
    ['Int("x")', null],
    ['Double("2.5")', 2.5],
    ['Double(3)', 3],
    ['Bool("T")', true],
    ['Bool("maybe")', null],
    ['String(503)', '503'],
    ['String(attributes["nested"])', '{"n":1,"x":"deep"}'],
    ['String(attributes["tags"])', '["a","b"]'],
    ['ParseJSON("{\\"a\\": [1, {\\"b\\": null}]}")["a"][0]', 1],
    [
      'ParseKeyValue("k1=v1 k2=\'v 2\'")',
      {
        entries: [
          ['k1', 'v1'],
          ['k2', 'v 2'],
        ],
      },
    ],
    ['ParseInt("ff", 16)', 255n],
    ['ExtractPatterns("GIT_SHA=abc", "GIT_SHA=(?P<sha>\\\\w+)")["sha"]', 'abc'],
    // Test vectors of the hash functions: FIPS 180, RFC 1321, and the FNV authors' list for 64-bit FNV-1a of "a".
    ['SHA256("abc")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['SHA1("abc")', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['MD5("")', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['FNV("a")', BigInt.asIntN(64, 0xaf63dc4c8601ec8cn)],
    ['Hex(2)', '0000000000000002'],
    ['Decode("aGVsbG8gd29ybGQ=", "base64")', 'hello world'],
    ['Base64Encode("hello world")', 'aGVsbG8gd29ybGQ='],
    ['Trim("  a  ")', 'a'],
    ['TrimPrefix("foobar", "foo")', 'bar'],
    ['Index("hello world", "world")', 6n],
    ['Index(attributes["tags"], "b")', 1n],
    ['ContainsValue(attributes["tags"], "b")', true],
    ['Coalesce([attributes["absent"], attributes["http.method"]])', 'GET'],
    ['Keys(attributes["nested"])', ['x', 'n']],
    ['UnixNano(Time("2023-11-14 22:13:20.5 +0100", "%Y-%m-%d %H:%M:%S.%L %z"))', 1_699_996_400_500_000_000n],
    ['FormatTime(Unix(1700000000), "%Y-%m-%dT%H:%M:%S.%L%j")', '2023-11-14T22:13:20.000+00:00'],
    ['FormatTime(Time("02/04/2023", "%m/%d/%Y"), "%A %h %e %Y")', 'Saturday Feb  4 2023'],
    ['Seconds(Duration("1h30m"))', 5400],
    ['Nanoseconds(Duration("-1.5s"))', -1_500_000_000n],
    ['Hour(Unix(1700000000))', 22n],
    ['UnixSeconds(TruncateTime(Unix(1700000000), Duration("1h")))', 1_699_999_200n],
    ['IsEmpty("")', true],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected);
  });

  it('tell the time', () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    expect(evaluate('UnixNano(Now())')).toBeGreaterThanOrEqual(before);
  });
});

describe('editors', () => {
  it('set fields, attributes and parts of values', () => {
    const span = after(
      'set(name, "renamed")',
      'set(kind, SPAN_KIND_CLIENT)',
      'set(status.code, STATUS_CODE_OK)',
      'set(status.message, "")',
      'set(attributes["new"], 1)',
      'set(attributes["http.method"], nil)',
      'set(attributes["nested"]["x"], "changed")',
      'set(attributes["nested"]["more"]["still"], true)',
      'set(attributes["tags"][0], "z")',
      'set(resource.attributes["service.name"], "other")',
      'set(scope.name, "other lib")',
      'set(trace_state["c"], "3")',
      'set(start_time_unix_nano, 5)',
      'set(end_time, Unix(10))',
      'set(parent_span_id, SpanID(0x0102030405060708))',
      'set(cache["x"], Concat([name, "!"], ""))',
      'set(attributes["cached"], cache["x"])',
    );
    expect(span).toMatchObject({
      name: 'renamed',
      kind: 3,
      statusCode: 1,
      statusMessage: '',
      traceState: 'c=3,a=1,b=2',
      startTime: 5n,
      endTime: 10_000_000_000n,
      parentSpanId: '0102030405060708',
      resource: { service: 'other' },
      scope: { name: 'other lib' },
    });
    expect(span.attributes).toMatchObject({
      new: 1n,
      'http.method': 'GET',
      cached: 'renamed!',
      tags: ['z', 'b'],
      nested: {
        entries: [
          ['x', 'changed'],
          ['n', 1n],
          ['more', { entries: [['still', true]] }],
        ],
      },
    });
  });

  it('run only where their condition holds', () => {
    expect(after('set(name, "x") where kind == SPAN_KIND_CLIENT').name).toBe('GET /product/42');
    expect(after('set(name, "x") where kind == SPAN_KIND_SERVER').name).toBe('x');
  });

  it('delete and keep keys', () => {
    expect(Object.keys(after('delete_key(attributes, "tags")').attributes)).not.toContain('tags');
    expect(Object.keys(after('delete_matching_keys(attributes, "^http\\\\.|e")').attributes)).toEqual([
      'ratio',
      'ok',
      'tags',
    ]);
    expect(Object.keys(after('keep_matching_keys(attributes, "^http")').attributes)).toEqual([
      'http.method',
      'http.status_code',
    ]);
    expect(after('keep_keys(attributes, ["ok", "none"])').attributes).toEqual({ ok: false });
    expect(after('keep_keys(attributes["nested"], ["n"])').attributes.nested).toEqual({ entries: [['n', 1n]] });
  });

  it('replace by pattern and by glob', () => {
    expect(after('replace_pattern(name, "/(\\\\w+)/\\\\d+", "/$1/{id}")').name).toBe('GET /product/{id}');
    expect(after('replace_pattern(name, "\\\\d+", "$$")').name).toBe('GET /product/$');
    expect(after('replace_match(name, "GET */*", "got")').name).toBe('got');
    expect(after('replace_match(name, "POST *", "got")').name).toBe('GET /product/42');
    // printf abc | sha256sum
    expect(
      after('replace_pattern(attributes["user.email"], "(ann)@.*", "abc", SHA256, "hash:%s")').attributes['user.email'],
    ).toBe('hash:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const values = after('replace_all_patterns(attributes, "value", "[a-z]+@example", "***")').attributes;
    expect(values['user.email']).toBe('***.com');
    const keys = after('replace_all_patterns(attributes, "key", "^http\\\\.", "web.")').attributes;
    expect(keys).toMatchObject({ 'web.method': 'GET', 'web.status_code': 503n });
    expect(keys).not.toHaveProperty(['http.method']);
    expect(after('replace_all_matches(attributes, "*@*", "mail")').attributes['user.email']).toBe('mail');
  });

  it('limit, truncate, merge, flatten, stringify and append', () => {
    expect(Object.keys(after('limit(attributes, 2, ["ok"])').attributes).sort()).toEqual(['http.method', 'ok']);
    expect(after('truncate_all(attributes, 5)').attributes['user.email']).toBe('ann@e');
    expect(after('set(attributes["k"], "ключ")', 'truncate_all(attributes, 5)').attributes.k).toBe('кл');
    expect(after('truncate_all(attributes, 6, truncation_marker="..")').attributes['user.email']).toBe('ann@..');
    const merged = after('merge_maps(attributes, {"ok": true, "fresh": 1}, "insert")').attributes;
    expect(merged).toMatchObject({ ok: false, fresh: 1n });
    expect(after('merge_maps(attributes, {"ok": true, "fresh": 1}, "update")').attributes).toMatchObject({ ok: true });
    expect(after('flatten(attributes)').attributes).toMatchObject({ 'tags.0': 'a', 'nested.x': 'deep' });
    expect(after('flatten(attributes, "p", 0)').attributes).toMatchObject({ 'p.ok': false, 'p.tags': ['a', 'b'] });
    expect(after('stringify_all(attributes)').attributes).toMatchObject({ 'http.status_code': '503', ok: 'false' });
    expect(after('append(attributes["tags"], "c")').attributes.tags).toEqual(['a', 'b', 'c']);
    expect(after('append(attributes["http.method"], values=["x"])').attributes['http.method']).toEqual(['GET', 'x']);
    expect(after('delete_index(attributes["tags"], 0)').attributes.tags).toEqual(['b']);
  });

  it('change log records and what they carry as JSON', () => {
    const cursor = logCursor({ stringValue: '{"level":"error","user":{"id":7}}' });
    for (const statement of [
      'merge_maps(attributes, ParseJSON(body), "upsert") where IsString(body)',
      'set(severity_number, SEVERITY_NUMBER_ERROR) where attributes["level"] == "error"',
      'set(severity_text, ToUpperCase(attributes["level"]))',
      'set(body, attributes["user"])',
      'set(body["id"], 8)',
      'set(log.event_name, "login")',
    ]) {
      OttlCompiler.statement(LOG_DIALECT, statement)(cursor);
    }
    cursor.finish();
    expect(logObjects(cursor.logs)[0]).toMatchObject({
      severityNumber: 17,
      severityText: 'ERROR',
      body: { entries: [['id', 8n]] },
      eventName: 'login',
      attributes: [
        ['a', 'b'],
        ['level', 'error'],
        ['user', { entries: [['id', 7]] }],
      ],
    });
  });

  it('change metrics and points', () => {
    const metrics = [
      {
        name: 'requests',
        unit: '1',
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [{ asInt: '5', timeUnixNano: '1', attributes: [text('host', 'a')] }],
        },
      },
    ];
    const resourceMetrics = [{ scopeMetrics: [{ metrics }] }];
    const { batch } = decodeMetrics(Buffer.from(JSON.stringify({ resourceMetrics })), 'json');
    const cursor = new MetricCursor(batch);
    cursor.moveToMetric(0);
    expect(OttlCompiler.condition(METRIC_DIALECT, 'HasAttrOnDatapoint("host", "a")')(cursor)).toBe(true);
    expect(OttlCompiler.condition(METRIC_DIALECT, 'HasAttrKeyOnDatapoint("zone")')(cursor)).toBe(false);
    expect(
      OttlCompiler.condition(METRIC_DIALECT, 'type == METRIC_DATA_TYPE_SUM and is_monotonic == true')(cursor),
    ).toBe(true);
    OttlCompiler.statement(METRIC_DIALECT, 'set(name, Concat([name, "total"], "_"))')(cursor);
    OttlCompiler.statement(METRIC_DIALECT, 'convert_sum_to_gauge()')(cursor);
    cursor.moveToPoint('numberPoints', 0);
    OttlCompiler.statement(DATAPOINT_DIALECT, 'set(value_double, Double(value_int) / 2.0)')(cursor);
    OttlCompiler.statement(DATAPOINT_DIALECT, 'set(attributes["metric"], metric.name)')(cursor);
    cursor.finish();
    expect(metricPointObjects(batch)[0]).toMatchObject({
      value: 2.5,
      attributes: [
        ['host', 'a'],
        ['metric', 'requests_total'],
      ],
    });
    expect(batch.metrics.type[0]).toBe(1);
  });
});

describe('mistakes', () => {
  it.each([
    ['set(name "x")', 9, 'expected ), found "x"'],
    ['set(nam, "x")', 4, 'span has no field nam'],
    ['sett(name, "x")', 0, 'sett is not a function'],
    ['Set(name, "x")', 0, 'expected a function such as set'],
    ['set(name, concat(["a"], ""))', 10, 'concat changes records'],
    ['set(name, Concatt(["a"], ""))', 10, 'Concatt is not a function'],
    ['set(name)', 0, 'set needs its argument value'],
    ['set(name, "a", "b")', 15, 'set takes at most 2 arguments'],
    ['set("name", "x")', 4, 'set needs as target a field'],
    ['set(name, "x', 10, 'a string without its closing quote'],
    ['set(name, "x") where kind', 25, 'expected a comparison'],
    ['set(name, "x") where kind = 2', 26, 'expected a comparison'],
    ['set(name, KIND)', 10, 'unknown name KIND'],
    ['set(name, 0x123)', 10, 'bytes have two hexadecimal digits each'],
    ['set(name, 99999999999999999999)', 10, 'an integer of more than 64 bits'],
    ['delete_matching_keys(attributes, "(")', 33, 'pattern: missing'],
    ['delete_matching_keys(attributes, "(?=x)")', 33, 'pattern: invalid'],
    ['set(name, Time("x", "%Q"))', 20, 'format: %Q is not known'],
    ['limit(attributes, 1, ["a", "b"])', 21, 'limit needs as priority_keys no more than 1'],
    ['replace_pattern(name, "a", "b", Concat)', 32, 'Concat is not a converter of one value'],
    ['set(metric.name, "x")', 4, 'span has no field metric.name'],
    [`set(name, ${'('.repeat(100)}1${')'.repeat(100)})`, 74, 'nested more than 64 deep'],
  ])('%s', (statement, position, message) => {
    const compile = () => OttlCompiler.statement(SPAN_DIALECT, statement);
    expect(compile).toThrow(OttlError);
    expect(compile).toThrow(message);
    try {
      compile();
    } catch (error) {
      expect((error as OttlError).position).toBe(position);
    }
  });

  it.each([
    'ToLowerCase(attributes["absent"])',
    'attributes["http.method"] + 1',
    '1 / 0',
    'ParseJSON("{")',
    'Split("a", ",")[5]',
    'Substring("abc", 2, 9)',
    'Duration("fast")',
    'TraceID(0x01)',
  ])('%s is a mistake of the record', (expression) => {
    expect(() => evaluate(expression)).toThrow(OttlValueError);
  });

  it('tell nothing of the values', () => {
    expect(() => evaluate('ParseJSON(Concat(["secret", "x"], ""))')).toThrow(/^ParseJSON: not JSON$/);
    expect(() => evaluate('Len(attributes["http.status_code"])')).toThrow('Len: an int has no length');
  });
});
