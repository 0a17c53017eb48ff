import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFilters } from '../filter/read-filters.ts';
import { TestStore } from '../testing/test-store.ts';
import { chooseSteps } from '../time-range.ts';
import { bodyMatcher, readBodyWords } from './body-words.ts';
import { parseCursor } from './log-cursor.ts';
import { logHistogram, planLogHistogram } from './log-histogram.ts';
import { type LogPageRequest, planLogPage, planLogs, searchLogs } from './search-logs.ts';

const second = 1_000_000_000n;
const base = 1_760_000_000n * second;
const range = { from: base, to: base + 3_600n * second };
const request = (part: Partial<LogPageRequest> & { q?: string; filter?: string[] } = {}): LogPageRequest => ({
  range,
  words: readBodyWords(part.q ?? ''),
  severities: [],
  filters: readFilters(part.filter ?? []),
  limit: 200,
  ...part,
});

const bodies = [
  'Connection refused by 10.0.0.1:6379',
  'connection timeouts: 3',
  'GET /api/github/pulls took 12ms [timeout]',
  'user-42 logged in',
  'Straße gesperrt: größe',
  '数据库连接错误',
  '\n\nDROP TABLE logs; --',
  'say "hi" {p0:String} 100% a_b',
];

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  await store.insertLogs([
    ...bodies.map((body, index) => ({ time: base + BigInt(index) * second, service: 'words', body })),
    {
      time: base + 100n * second,
      service: 'api',
      severity: 17,
      severityText: 'ERROR',
      body: '{"kvlistValue":{"values":[{"key":"code","value":{"intValue":"7"}}]}}',
      bodyType: 6,
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      eventName: 'browser.crash',
      attributes: { status: 500n, big: -9223372036854775808n, weird: Number.NaN, ['__proto__']: 'p' },
      resource: { id: 9007199254740993n, attributes: { 'service.name': 'api', zone: 'b' } },
    },
    { time: base + 101n * second, service: '', severity: 14, body: '', bodyType: 0 },
    { time: base + 102n * second, service: 'api', severity: 0, body: 'x' },
    { time: base + 103n * second, service: 'api', severity: 25, body: 'y' },
    { time: base + 3_600n * second, service: 'api', body: 'too late' },
    // Pages: 7 different and 5 equal records at one time, some around it.
    ...Array.from({ length: 7 }, (_, index) => ({ time: base + 200n * second, service: 'page', body: `n${index}` })),
    ...Array.from({ length: 5 }, () => ({ time: base + 200n * second, service: 'page', body: 'same' })),
    { time: base + 199n * second, service: 'page', body: 'before' },
    { time: base + 201n * second, service: 'page', body: 'after' },
  ]);
});

afterAll(() => store.close());

describe('words of the body', () => {
  test.each<[string, number[]]>([
    ['connection', [0, 1]],
    ['CONNECTION refused', [0]],
    ['timeout', [2]],
    ['timeouts', [1]],
    ['connection -refused', [1]],
    ['-connection', [2, 3, 4, 5, 6, 7]],
    ['"connection refused"', [0]],
    ['"refused connection"', []],
    ['-"connection refused" connection', [1]],
    ['10.0.0.1', [0]],
    ['0.0.1', [0]],
    ['0.0.', [0]],
    ['user-42', [3]],
    ['user-4', []],
    ['/api/github', [2]],
    ['/api/git', []],
    ['[timeout]', [2]],
    ['STRASSE', []],
    ['straße', [4]],
    ['GRÖSSE', []],
    ['GRÖßE', [4]],
    ['连接', [5]],
    ['drop table', [6]],
    ['100%', [7]],
    ['{p0:String}', [7]],
    ['a_b', [7]],
    ['a', [7]],
    ["'; DROP TABLE logs; --", []],
    ['\\d+ ( [ .*', []],
  ])('%s', async (q, expected) => {
    const { logs, total } = await searchLogs(store.context(), request({ q, service: 'words' }));
    expect(logs.map((log) => bodies.indexOf((log.body as { stringValue: string }).stringValue)).reverse()).toEqual(
      expected,
    );
    expect(total).toBe(expected.length);
    // The live tail looks at bodies in memory: it must see the same.
    const matches = bodyMatcher(readBodyWords(q));
    expect(bodies.flatMap((body, index) => (matches(body) ? [index] : []))).toEqual(expected);
  });

  test('an open phrase is refused with its place', () => {
    expect(() => readBodyWords('a "b c')).toThrow(
      expect.objectContaining({ parameter: 'q', position: { start: 2, end: 6 } }),
    );
  });
});

describe('search', () => {
  test('a record as it came', async () => {
    const { logs } = await searchLogs(store.context(), request({ service: 'api', severities: ['ERROR'] }));
    expect(logs).toEqual([
      {
        id: expect.stringMatching(/^1760000100000000000-[0-9a-f]{1,16}$/),
        timeUnixNano: '1760000100000000000',
        observedTimeUnixNano: '1760000100000000000',
        severity: 'ERROR',
        severityNumber: 17,
        severityText: 'ERROR',
        service: 'api',
        body: { kvlistValue: { values: [{ key: 'code', value: { intValue: '7' } }] } },
        eventName: 'browser.crash',
        traceId: 'ab'.repeat(16),
        spanId: 'cd'.repeat(8),
        attributes: [
          { key: '__proto__', value: { stringValue: 'p' } },
          { key: 'big', value: { intValue: '-9223372036854775808' } },
          { key: 'status', value: { intValue: '500' } },
          { key: 'weird', value: { doubleValue: 'NaN' } },
        ],
        resourceAttributes: [
          { key: 'service.name', value: { stringValue: 'api' } },
          { key: 'zone', value: { stringValue: 'b' } },
        ],
        scope: { name: '', version: '' },
      },
    ]);
  });

  const times = async (part: Parameters<typeof request>[0]): Promise<number[]> => {
    const { logs } = await searchLogs(store.context(), request(part));
    return logs.map((log) => Number((BigInt(log.timeUnixNano) - base) / second));
  };

  test.each<[string, Parameters<typeof request>[0], number[]]>([
    ['severities', { service: 'api', severities: ['FATAL', 'UNSPECIFIED'] }, [103, 102]],
    ['WARN is 13 to 16', { severities: ['WARN'] }, [101]],
    ['a service without a name', { service: 'unknown_service' }, [101]],
    ['trace', { traceId: 'ab'.repeat(16) }, [100]],
    ['span', { spanId: 'cd'.repeat(8) }, [100]],
    ['attribute', { filter: ['status >= 500'] }, [100]],
    ['least integer', { filter: ['big = -9223372036854775808'] }, [100]],
    ['of the resource', { filter: ['zone = b'] }, [100]],
    ['severity from', { service: 'api', filter: ['log:severity >= ERROR'] }, [103, 100]],
    ['severity above', { service: 'api', filter: ['log:severity > ERROR'] }, [103]],
    ['event name', { filter: ['log:event = browser.crash'] }, [100]],
    ['body pattern', { filter: ['log:body =~ "user-\\d+.*"'] }, [3]],
    ['hostile', { service: "' OR 1=1 --", traceId: '00'.repeat(16), filter: ['"k\\\\\'" = "\\\\"'] }, []],
  ])('%s', async (_, part, expected) => expect(await times(part)).toEqual(expected));

  test.each([1, 2, 3, 4, 5, 8, 14])('pages of %i neither skip nor repeat', async (limit) => {
    const seen: string[] = [];
    const ids = new Set<string>();
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      expect(page).toBeLessThan(20);
      const part = { service: 'page', limit, ...(cursor === '' ? {} : { cursor: parseCursor(cursor) }) };
      const { logs, total, nextCursor } = await searchLogs(store.context(), request(part));
      expect(total).toBe(14);
      expect(logs.length).toBe(Math.min(limit, 14 - seen.length));
      for (const log of logs) {
        seen.push((log.body as { stringValue: string }).stringValue);
        ids.add(log.id);
      }
      cursor = nextCursor;
    }
    expect([seen[0], seen.at(-1)]).toEqual(['after', 'before']);
    expect([...seen].sort()).toEqual([
      'after',
      'before',
      'n0',
      'n1',
      'n2',
      'n3',
      'n4',
      'n5',
      'n6',
      'same',
      'same',
      'same',
      'same',
      'same',
    ]);
    expect(ids.size).toBe(14);
  });

  test.each([
    'x',
    '1.2.3',
    '9223372036854775808.1.1.1',
    '1.18446744073709551616.1.1',
    '-1.1.1.1',
    '1760000200000000000.12345.2.999999999',
    '1760000200000000000.12345.999999999.2',
  ])('cursor %s', (cursor) => {
    expect(() => parseCursor(cursor)).toThrow(expect.objectContaining({ parameter: 'cursor' }));
  });

  test('the SQL', () => {
    const cursor = parseCursor('1760000200000000000.12345.2.7');
    const part = request({ q: 'refused "a b" -x', severities: ['ERROR'], filter: ['a = b'], cursor });
    expect(planLogPage(part)).toMatchSnapshot();
    expect(planLogs(part, base)).toMatchSnapshot();
    const steps = chooseSteps(range, { wanted: 80, finest: 1_000 });
    expect(planLogHistogram(request(), steps)).toMatchSnapshot();
  });
});

test('histogram', async () => {
  const { times, stepMs, counts, total } = await logHistogram(store.context(), request({ service: 'api' }), 2_000);
  expect([times.length, times[0], stepMs, total]).toEqual([1_800, 1_760_000_000_000, 2_000, 3]);
  expect(Object.keys(counts)).toEqual(['UNSPECIFIED', 'ERROR', 'FATAL']);
  expect([counts.ERROR?.[50], counts.UNSPECIFIED?.[51], counts.FATAL?.[51]]).toEqual([1, 1, 1]);
  expect(counts.ERROR?.reduce((sum, count) => sum + count, 0)).toBe(1);
});
