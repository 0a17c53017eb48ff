import { HistogramPresence, MetricType } from '@signalbox/records';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attributeColumns, readAttributes } from '../clickhouse/attributes.ts';
import { openStore } from '../open-store.ts';
import type { Store } from '../store.ts';
import {
  addLog,
  addMetric,
  addNumberPoint,
  addSpan,
  BatchWriter,
  type TestAttributes,
  words,
} from '../testing/batches.ts';
import { TEST_TARGETS, type TestTarget } from '../testing/test-connections.ts';

const DROP = '\n\nDROP TABLE spans;';
const NOW = 1_790_000_000_123;
const TIME = BigInt(NOW) * 1_000_000n;
const TEXT_TIME = '2026-09-21 14:13:20.123000000';

/** `AnyValue`s in protobuf: `[1, "a"]` and `{k: true}`. */
const ARRAY = { type: 'array', encoded: Buffer.from('2a090a0218010a030a0161', 'hex') } as const;
const KVLIST = { type: 'kvlist', encoded: Buffer.from('32090a070a016b12021001', 'hex') } as const;

const ATTRIBUTES: TestAttributes = [
  ['text', 'hello'],
  ['empty text', ''],
  ['nul', 'a\0b'],
  ['drop', DROP],
  [DROP, DROP],
  ['', 'empty key'],
  ['héllo 😀', '😀'.repeat(100)],
  ['int.min', -(2n ** 63n)],
  ['int.max', 2n ** 63n - 1n],
  ['zero', 0n],
  ['double', 0.1],
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-0', -0],
  ['tiny', 5e-324],
  ['true', true],
  ['false', false],
  ['nothing', null],
  ['array', ARRAY],
  ['kvlist', KVLIST],
  ['bytes', { type: 'bytes', bytes: Buffer.from([0, 255, 10]) }],
];

/** The same as the store gives them back: ints as text, others as OTLP/JSON. */
const READ = [
  { key: '', type: 'string', value: 'empty key' },
  { key: '\n\nDROP TABLE spans;', type: 'string', value: DROP },
  { key: '-0', type: 'double', value: -0 },
  { key: '-inf', type: 'double', value: '-inf' },
  { key: 'array', type: 'other', value: '{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"}]}}' },
  { key: 'bytes', type: 'other', value: '{"bytesValue":"AP8K"}' },
  { key: 'double', type: 'double', value: 0.1 },
  { key: 'drop', type: 'string', value: DROP },
  { key: 'empty text', type: 'string', value: '' },
  { key: 'false', type: 'bool', value: false },
  { key: 'héllo 😀', type: 'string', value: '😀'.repeat(100) },
  { key: 'inf', type: 'double', value: 'inf' },
  { key: 'int.max', type: 'int', value: '9223372036854775807' },
  { key: 'int.min', type: 'int', value: '-9223372036854775808' },
  { key: 'kvlist', type: 'other', value: '{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}' },
  { key: 'nan', type: 'double', value: 'nan' },
  { key: 'nothing', type: 'other', value: '{}' },
  { key: 'nul', type: 'string', value: 'a\0b' },
  { key: 'text', type: 'string', value: 'hello' },
  { key: 'tiny', type: 'double', value: 5e-324 },
  { key: 'true', type: 'bool', value: true },
  { key: 'zero', type: 'int', value: '0' },
];

const TABLES =
  'resources spans logs series number_points histogram_points exponential_histogram_points summary_points exemplars'.split(
    ' ',
  );

describe.each(TEST_TARGETS)('the signals of a store, %s', (_, make) => {
  let target: TestTarget;
  let store: Store;

  beforeAll(async () => {
    target = await make();
  });
  afterAll(async () => {
    await store?.shutdown(2_000);
    await target?.dispose();
  });
  // A fresh store each: it remembers the resources and series that it has stored.
  beforeEach(async () => {
    await store?.shutdown(2_000);
    store = await openStore({ connection: target.options, retentionIntervalMs: 0, now: () => NOW });
    for (const table of TABLES) {
      await store.connection.command(`TRUNCATE TABLE ${table}`);
    }
  });

  const rows = async (sql: string): Promise<readonly (readonly unknown[])[]> =>
    (await store.connection.query(sql)).rows;
  const attributesOf = async (table: string, prefix: 'attributes' | 'resource' = 'attributes'): Promise<unknown> =>
    readAttributes((await rows(`SELECT ${attributeColumns(prefix).join(', ')} FROM ${table}`))[0]);

  it('gives back every field of a span', async () => {
    const writer = BatchWriter.spans();
    const { batch } = writer;
    const resource = writer.resource([['service.name', `shop${DROP}`], ...ATTRIBUTES], 7, `https://schema${DROP}`);
    const scope = writer.scope(resource, `scope${DROP}`, `1.2${DROP}`, [['k', DROP]]);
    const row = batch.begin(resource, scope);
    batch.traceId.set(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'), row * 16);
    batch.spanId.set(Buffer.from('fffefdfcfbfaf9f8', 'hex'), row * 8);
    batch.parentSpanId.set(Buffer.from('0000000000000001', 'hex'), row * 8);
    batch.traceState.set(row, ...writer.slice(`ot=th:8${DROP}`));
    batch.flags[row] = 0xffff_ffff;
    batch.name.set(row, ...writer.slice(`GET /${DROP}`));
    batch.kind[row] = 2;
    batch.startTime.setWords(row, ...words(TIME + 1n));
    batch.endTime.setWords(row, ...words(TIME + 1n + 2n ** 33n));
    batch.statusCode[row] = 2;
    batch.statusMessage.set(row, ...writer.slice(DROP));
    writer.attributes(batch.attributes, ATTRIBUTES);
    batch.droppedAttributesCount[row] = 1;
    batch.droppedEventsCount[row] = 2;
    batch.droppedLinksCount[row] = 4_294_967_295;
    for (const [name, attributes] of [
      [`plain${DROP}`, []],
      [
        'exception',
        [
          ['exception.type', 'TypeError'],
          ['exception.message', DROP],
        ],
      ],
      [
        'exception',
        [
          ['exception.message', 'no type'],
          ['n', 1n],
        ],
      ],
    ] as const) {
      const event = batch.events.begin();
      batch.events.time.setWords(event, ...words(TIME + 5n));
      batch.events.name.set(event, ...writer.slice(name));
      batch.events.droppedAttributesCount[event] = 3;
      writer.attributes(batch.events.attributes, attributes);
      batch.events.end();
    }
    for (const state of ['', DROP]) {
      const link = batch.links.begin();
      batch.links.traceId.fill(0xab, link * 16, link * 16 + 16);
      batch.links.spanId.fill(0xcd, link * 8, link * 8 + 8);
      batch.links.traceState.set(link, ...writer.slice(state));
      batch.links.flags[link] = 0x301;
      batch.links.droppedAttributesCount[link] = 9;
      writer.attributes(batch.links.attributes, state === '' ? [] : [['l', 2.5]]);
      batch.links.end();
    }
    batch.end();
    expect(await store.spans.consume(batch)).toEqual({ rejected: 0, reason: '' });

    expect(
      await rows(`SELECT time, duration, hex(trace_id), hex(span_id), hex(parent_span_id), trace_state, flags, name, kind, service,
        status_code, status_message, scope_name, scope_version, scope_attributes, dropped_attributes, dropped_events, dropped_links FROM spans`),
    ).toEqual([
      [
        '2026-09-21 14:13:20.123000001',
        String(2 ** 33),
        '000102030405060708090A0B0C0D0E0F',
        'FFFEFDFCFBFAF9F8',
        '0000000000000001',
        `ot=th:8${DROP}`,
        0xffff_ffff,
        `GET /${DROP}`,
        2,
        `shop${DROP}`,
        2,
        DROP,
        `scope${DROP}`,
        `1.2${DROP}`,
        JSON.stringify([{ key: 'k', value: { stringValue: DROP } }]),
        1,
        2,
        4_294_967_295,
      ],
    ]);
    expect(await attributesOf('spans')).toEqual(READ);
    const eventTime = '2026-09-21 14:13:20.123000005';
    expect(
      await rows(
        'SELECT event_time, event_name, event_attributes, event_dropped, exception_type, exception_message FROM spans',
      ),
    ).toEqual([
      [
        [eventTime, eventTime, eventTime],
        [`plain${DROP}`, 'exception', 'exception'],
        [
          '',
          JSON.stringify([
            { key: 'exception.type', value: { stringValue: 'TypeError' } },
            { key: 'exception.message', value: { stringValue: DROP } },
          ]),
          JSON.stringify([
            { key: 'exception.message', value: { stringValue: 'no type' } },
            { key: 'n', value: { intValue: '1' } },
          ]),
        ],
        [3, 3, 3],
        ['TypeError', ''],
        [DROP, 'no type'],
      ],
    ]);
    expect(
      await rows(`SELECT arrayMap(x -> hex(x), link_trace_id), arrayMap(x -> hex(x), link_span_id), link_trace_state, link_flags,
        link_attributes, link_dropped FROM spans`),
    ).toEqual([
      [
        ['AB'.repeat(16), 'AB'.repeat(16)],
        ['CD'.repeat(8), 'CD'.repeat(8)],
        ['', DROP],
        [0x301, 0x301],
        ['', JSON.stringify([{ key: 'l', value: { doubleValue: 2.5 } }])],
        [9, 9],
      ],
    ]);
    expect(
      await rows(
        'SELECT toUnixTimestamp(time), service, dropped_attributes, schema_url, resource_id = (SELECT any(resource_id) FROM spans) FROM resources',
      ),
    ).toEqual([[Date.UTC(2026, 8, 21, 12) / 1000, `shop${DROP}`, 7, `https://schema${DROP}`, 1]]);
    const read = READ.slice();
    read.splice(17, 0, { key: 'service.name', type: 'string', value: `shop${DROP}` });
    const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
    expect(await attributesOf('resources', 'resource')).toEqual(read.sort(byKey));
  });

  it('keeps bytes that are not UTF-8', async () => {
    const writer = BatchWriter.spans();
    const bad = Buffer.from([0xff, 0xfe, 0x00, 0xc3]);
    const scope = writer.scope(writer.resource([['service.name', bad]]), bad);
    addSpan(writer, scope, { name: bad, start: TIME, attributes: [[bad, bad]] });
    await store.spans.consume(writer.batch);
    expect(
      await rows(
        'SELECT hex(name), hex(service), hex(scope_name), hex(mapKeys(attributes_string)[1]), hex(mapValues(attributes_string)[1]) FROM spans',
      ),
    ).toEqual([Array(5).fill('FFFE00C3')]);
  });

  it('keeps what was sent twice, and repeated keys', async () => {
    const writer = BatchWriter.spans();
    const scope = writer.scope(writer.resource([]), '');
    addSpan(writer, scope, {
      name: 'same',
      start: TIME,
      attributes: [
        ['k', 'a'],
        ['k', 'b'],
      ],
    });
    await store.spans.consume(writer.batch);
    await store.spans.consume(writer.batch);
    expect(await rows('SELECT name, mapKeys(attributes_string), mapValues(attributes_string) FROM spans')).toEqual(
      Array(2).fill(['same', ['k', 'k'], ['a', 'b']]),
    );
    expect(await rows('SELECT count() FROM resources')).toEqual([['1']]);
  });

  it('makes one resource of two whose attributes only differ in order, and two of others', async () => {
    const writer = BatchWriter.spans();
    const spanOf = (attributes: TestAttributes): unknown =>
      addSpan(writer, writer.scope(writer.resource(attributes), ''), { name: 's', start: TIME });
    spanOf([
      ['a', '1'],
      ['b', '2'],
      ['service.name', 's'],
    ]);
    spanOf([
      ['service.name', 's'],
      ['b', '2'],
      ['a', '1'],
    ]);
    spanOf([
      ['a', 1n],
      ['b', '2'],
      ['service.name', 's'],
    ]);
    spanOf([
      ['a', '1b'],
      ['2', ''],
      ['service.name', 's'],
    ]);
    spanOf([]);
    await store.spans.consume(writer.batch);
    expect(await rows('SELECT count() FROM resources')).toEqual([['4']]);
    expect(await rows('SELECT count() FROM spans WHERE resource_id IN (SELECT resource_id FROM resources)')).toEqual([
      ['5'],
    ]);
    expect(
      await rows(
        "SELECT count() FROM spans WHERE resource_id IN (SELECT resource_id FROM resources WHERE resource_string['a'] = '1')",
      ),
    ).toEqual([['2']]);
  });

  it('gives back every field of a log record', async () => {
    const writer = BatchWriter.logs();
    const { batch } = writer;
    const resource = writer.resource([['service.name', 'shop']]);
    const scope = writer.scope(resource, `scope${DROP}`, '1', [['k', DROP]]);
    const row = batch.begin(resource, scope);
    batch.time.setWords(row, ...words(TIME + 1n));
    batch.observedTime.setWords(row, ...words(TIME + 2n));
    batch.severityNumber[row] = 17;
    batch.severityText.set(row, ...writer.slice(`ERROR${DROP}`));
    writer.value(batch.body, row, DROP);
    batch.eventName.set(row, ...writer.slice(`event${DROP}`));
    batch.traceId.set(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'), row * 16);
    batch.spanId.set(Buffer.from('fffefdfcfbfaf9f8', 'hex'), row * 8);
    batch.flags[row] = 1;
    writer.attributes(batch.attributes, ATTRIBUTES);
    batch.droppedAttributesCount[row] = 5;
    batch.end();
    await store.logs.consume(batch);
    expect(
      await rows(`SELECT time, observed_time, severity_number, severity_text, body, body_type, event_name, hex(trace_id), hex(span_id),
        flags, service, scope_name, scope_version, scope_attributes, dropped_attributes FROM logs`),
    ).toEqual([
      [
        '2026-09-21 14:13:20.123000001',
        '2026-09-21 14:13:20.123000002',
        17,
        `ERROR${DROP}`,
        DROP,
        1,
        `event${DROP}`,
        '000102030405060708090A0B0C0D0E0F',
        'FFFEFDFCFBFAF9F8',
        1,
        'shop',
        `scope${DROP}`,
        '1',
        JSON.stringify([{ key: 'k', value: { stringValue: DROP } }]),
        5,
      ],
    ]);
    expect(await attributesOf('logs')).toEqual(READ);
    expect(await rows('SELECT count() FROM logs WHERE resource_id IN (SELECT resource_id FROM resources)')).toEqual([
      ['1'],
    ]);
  });

  it('keeps bodies of every type', async () => {
    const writer = BatchWriter.logs();
    const scope = writer.scope(writer.resource([]), '');
    const bodies = [
      null,
      '',
      true,
      -5n,
      Number.NaN,
      ARRAY,
      KVLIST,
      { type: 'bytes', bytes: Buffer.from([255]) } as const,
    ];
    bodies.forEach((body, index) => {
      addLog(writer, scope, { body, time: TIME + BigInt(index) });
    });
    await store.logs.consume(writer.batch);
    expect(await rows('SELECT body_type, body FROM logs ORDER BY time')).toEqual([
      [0, ''],
      [1, ''],
      [2, '{"boolValue":true}'],
      [3, '{"intValue":"-5"}'],
      [4, '{"doubleValue":"NaN"}'],
      [5, '{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"}]}}'],
      [6, '{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}'],
      [7, '{"bytesValue":"/w=="}'],
    ]);
  });

  it('takes the time of observation, or now, for a log record without one', async () => {
    const writer = BatchWriter.logs();
    const scope = writer.scope(writer.resource([]), '');
    addLog(writer, scope, { body: 'own', time: TIME - 5n, observed: TIME });
    addLog(writer, scope, { body: 'observed', time: 0n, observed: TIME - 7n });
    addLog(writer, scope, { body: 'now', time: 0n });
    addLog(writer, scope, { body: 'observed by a broken clock', time: 0n, observed: 1n });
    addLog(writer, scope, { body: 'broken clock', time: 5n, observed: TIME });
    expect(await store.logs.consume(writer.batch)).toMatchObject({ rejected: 1, reason: /./ });
    expect(await rows('SELECT body, time FROM logs ORDER BY time, body')).toEqual([
      ['observed', '2026-09-21 14:13:20.122999993'],
      ['own', '2026-09-21 14:13:20.122999995'],
      ['now', TEXT_TIME],
      ['observed by a broken clock', TEXT_TIME],
    ]);
  });

  it('gives back every field of points of all kinds, their series and exemplars', async () => {
    const writer = BatchWriter.metrics();
    const { batch } = writer;
    const resource = writer.resource([['service.name', `shop${DROP}`]]);
    const scope = writer.scope(resource, `scope${DROP}`, '1', [['k', DROP]]);
    const hostile = { unit: `s${DROP}`, description: `what${DROP}` };
    const sum = addMetric(writer, scope, {
      name: `sum${DROP}`,
      type: MetricType.Sum,
      temporality: 2,
      monotonic: true,
      ...hostile,
    });
    const extremes = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 0.1, Number.NaN, Number.NEGATIVE_INFINITY];
    extremes.forEach((value, index) => {
      addNumberPoint(writer, sum, {
        time: TIME + BigInt(index),
        start: 5n,
        value,
        attributes: ATTRIBUTES,
        flags: index === 5 ? 1 : 0,
      });
    });
    const addExemplar = (table: typeof batch.numberPoints.exemplars, time: bigint): void => {
      const exemplar = table.begin();
      table.time.setWords(exemplar, ...words(time));
      table.value.setIntWords(exemplar, ...words(-3n));
      table.traceId.fill(0xab, exemplar * 16, exemplar * 16 + 16);
      table.spanId.fill(0xcd, exemplar * 8, exemplar * 8 + 8);
      writer.attributes(table.attributes, [['user', DROP]]);
      table.end();
    };
    const histogram = addMetric(writer, scope, { name: 'histogram', type: MetricType.Histogram, temporality: 1 });
    {
      const points = batch.histogramPoints;
      for (const [min, max, presence] of [
        [-1.5, 9.5, 7],
        [0, 0, 0],
      ] as const) {
        const row = points.begin(histogram);
        points.time.setWords(row, ...words(TIME));
        points.startTime.setWords(row, ...words(TIME - 10n));
        points.valueCount.setWords(row, ...words(2n ** 64n - 1n));
        points.sum[row] = presence === 0 ? 0 : 12.25;
        points.min[row] = min;
        points.max[row] = max;
        points.presence[row] = presence;
        writer.attributes(points.attributes, [['n', BigInt(presence)]]);
        if (presence !== 0) {
          points.bucketCounts.pushWords(...words(1n));
          points.bucketCounts.pushWords(...words(2n ** 40n));
          points.explicitBounds.push(0.5);
          addExemplar(points.exemplars, TIME + 1n);
          addExemplar(points.exemplars, 0n);
        }
        points.end();
      }
    }
    const exponential = addMetric(writer, scope, {
      name: 'exponential',
      type: MetricType.ExponentialHistogram,
      temporality: 2,
    });
    {
      const points = batch.exponentialHistogramPoints;
      const row = points.begin(exponential);
      points.time.setWords(row, ...words(TIME));
      points.valueCount.setWords(row, 10, 0);
      points.sum[row] = -1;
      points.presence[row] = HistogramPresence.Sum;
      points.scale[row] = -10;
      points.zeroCount.setWords(row, 3, 0);
      points.zeroThreshold[row] = 1e-9;
      points.positiveOffset[row] = 2_147_483_647;
      points.positiveCounts.pushWords(1, 0);
      points.positiveCounts.pushWords(0, 1);
      points.negativeOffset[row] = -2_147_483_648;
      points.negativeCounts.pushWords(4, 0);
      points.end();
    }
    const summary = addMetric(writer, scope, { name: 'summary', type: MetricType.Summary });
    {
      const points = batch.summaryPoints;
      const row = points.begin(summary);
      points.time.setWords(row, ...words(TIME));
      points.valueCount.setWords(row, 4, 0);
      points.sum[row] = 5;
      for (const [quantile, value] of [
        [0, -1],
        [0.99, 7.5],
      ] as const) {
        points.quantiles.push(quantile);
        points.quantileValues.push(value);
      }
      points.end();
    }
    expect(await store.metrics.consume(batch)).toEqual({ rejected: 0, reason: '' });

    expect(
      await rows(
        'SELECT metric_name, time, toUnixTimestamp64Nano(start_time), value, int_value, value_type, flags FROM number_points ORDER BY time',
      ),
    ).toEqual([
      [`sum${DROP}`, TEXT_TIME, '5', 2 ** 63, '9223372036854775807', 1, 0],
      [`sum${DROP}`, '2026-09-21 14:13:20.123000001', '5', -(2 ** 63), '-9223372036854775808', 1, 0],
      [`sum${DROP}`, '2026-09-21 14:13:20.123000002', '5', 2 ** 53, '9007199254740993', 1, 0],
      [`sum${DROP}`, '2026-09-21 14:13:20.123000003', '5', 0.1, '0', 0, 0],
      [`sum${DROP}`, '2026-09-21 14:13:20.123000004', '5', 'nan', '0', 0, 0],
      [`sum${DROP}`, '2026-09-21 14:13:20.123000005', '5', '-inf', '0', 0, 1],
    ]);
    expect(
      await rows(
        'SELECT count, sum, min, max, presence, bucket_counts, explicit_bounds, toUnixTimestamp64Nano(start_time) FROM histogram_points ORDER BY presence',
      ),
    ).toEqual([
      ['18446744073709551615', 0, 0, 0, 0, [], [], String(TIME - 10n)],
      ['18446744073709551615', 12.25, -1.5, 9.5, 7, ['1', String(2n ** 40n)], [0.5], String(TIME - 10n)],
    ]);
    expect(
      await rows(`SELECT count, sum, presence, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset,
        negative_counts FROM exponential_histogram_points`),
    ).toEqual([['10', -1, 1, -10, '3', 1e-9, 2_147_483_647, ['1', String(2n ** 32n)], -2_147_483_648, ['4']]]);
    expect(await rows('SELECT count, sum, quantiles, quantile_values FROM summary_points')).toEqual([
      ['4', 5, [0, 0.99], [-1, 7.5]],
    ]);
    expect(
      await rows(
        'SELECT metric_name, time, value, hex(trace_id), hex(span_id), attributes FROM exemplars ORDER BY time',
      ),
    ).toEqual(
      [TEXT_TIME, '2026-09-21 14:13:20.123000001'].map((time) => [
        'histogram',
        time,
        -3,
        'AB'.repeat(16),
        'CD'.repeat(8),
        JSON.stringify([{ key: 'user', value: { stringValue: DROP } }]),
      ]),
    );
    expect(
      await rows(`SELECT metric_name, type, unit, description, temporality, monotonic, service, scope_name, scope_version, scope_attributes
        FROM series WHERE type = 2`),
    ).toEqual([
      [
        `sum${DROP}`,
        2,
        hostile.unit,
        hostile.description,
        2,
        1,
        `shop${DROP}`,
        `scope${DROP}`,
        '1',
        JSON.stringify([{ key: 'k', value: { stringValue: DROP } }]),
      ],
    ]);
    expect(await rows('SELECT metric_name, type, temporality, monotonic FROM series ORDER BY type, series_id')).toEqual(
      [
        [`sum${DROP}`, 2, 2, 1],
        ['histogram', 3, 1, 0],
        ['histogram', 3, 1, 0],
        ['exponential', 4, 2, 0],
        ['summary', 5, 0, 0],
      ],
    );
    expect(await attributesOf('series WHERE type = 2')).toEqual(READ);
    // Every point has its series, and every series its resource.
    for (const table of [
      'number_points',
      'histogram_points',
      'exponential_histogram_points',
      'summary_points',
      'exemplars',
    ]) {
      expect(
        await rows(
          `SELECT count() FROM ${table} WHERE (metric_name, series_id) NOT IN (SELECT metric_name, series_id FROM series)`,
        ),
      ).toEqual([['0']]);
    }
    expect(
      await rows('SELECT count() FROM series WHERE resource_id NOT IN (SELECT resource_id FROM resources)'),
    ).toEqual([['0']]);
  });

  it('tells series apart by everything that makes one, and stores each once per partition', async () => {
    const send = async (hour: number): Promise<void> => {
      const writer = BatchWriter.metrics();
      const time = TIME + BigInt(hour) * 3_600_000_000_000n;
      const a = writer.scope(writer.resource([['service.name', 'a']]), 's');
      const b = writer.scope(writer.resource([['service.name', 'b']]), 's');
      const scoped = writer.scope(0, 's', '2');
      const metrics = [
        addMetric(writer, a, { name: 'm', type: MetricType.Gauge }),
        addMetric(writer, b, { name: 'm', type: MetricType.Gauge }),
        addMetric(writer, scoped, { name: 'm', type: MetricType.Gauge }),
        addMetric(writer, a, { name: 'm', type: MetricType.Sum }),
        addMetric(writer, a, { name: 'm', type: MetricType.Gauge, unit: 's' }),
        addMetric(writer, a, { name: 'n', type: MetricType.Gauge }),
      ];
      for (const metric of metrics) {
        addNumberPoint(writer, metric, { time, value: 1 });
        addNumberPoint(writer, metric, {
          time,
          value: 1,
          attributes: [
            ['k', 'v'],
            ['l', 1n],
          ],
        });
        addNumberPoint(writer, metric, {
          time,
          value: 1,
          attributes: [
            ['l', 1n],
            ['k', 'v'],
          ],
        });
        addNumberPoint(writer, metric, { time: 0n, value: 1 });
      }
      expect(await store.metrics.consume(writer.batch)).toMatchObject({ rejected: metrics.length });
    };
    await send(0);
    await send(1);
    await send(-24);
    expect(await rows('SELECT count(), uniqExact(series_id), uniqExact(time) FROM series')).toEqual([
      ['24', '12', '2'],
    ]);
    expect(await rows('SELECT count(), uniqExact(resource_id) FROM resources')).toEqual([['4', '2']]);
    expect(await rows('SELECT count(), uniqExact(series_id) FROM number_points')).toEqual([['54', '12']]);
  });

  it('stores what many send at once', async () => {
    const senders = Array.from({ length: 20 }, async (_, sender) => {
      for (let request = 0; request < 5; request++) {
        const writer = BatchWriter.spans();
        const scope = writer.scope(writer.resource([['service.name', `sender ${sender}`]]), '');
        for (let i = 0; i < 10; i++) {
          addSpan(writer, scope, { name: `${sender}/${request}/${i}`, start: TIME, attributes: [['i', BigInt(i)]] });
        }
        const logs = BatchWriter.logs();
        addLog(logs, logs.scope(logs.resource([['service.name', `sender ${sender}`]]), ''), { body: 'x', time: TIME });
        await Promise.all([store.spans.consume(writer.batch), store.logs.consume(logs.batch)]);
      }
    });
    await Promise.all(senders);
    expect(await rows('SELECT count(), uniqExact(name), uniqExact(service) FROM spans')).toEqual([
      ['1000', '1000', '20'],
    ]);
    expect(
      await rows(
        "SELECT countIf(endsWith(name, toString(attributes_int['i'])) AND startsWith(name, substring(service, 8))) FROM spans",
      ),
    ).toEqual([['1000']]);
    expect(await rows('SELECT count() FROM logs')).toEqual([['100']]);
  });
});
