import { metricPointObjects } from '@signalbox/records';
import { expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { parseExposition } from './parse-exposition.ts';
import { scrapedBatch } from './scraped-batch.ts';

const text = (name: string) => Buffer.from(goClientBytes(name)).toString();
const TRACE_ID = '5b8efff798038103d269b633813fc60c';

test('what client_golang exposes as text is read', () => {
  const { samples, help } = parseExposition(text('golang_text'), { openMetrics: false });
  expect(help.get('http_requests_total')).toBe('Requests \\ taken\nby code');
  expect(samples).toHaveLength(14);
  expect(samples).toContainEqual({
    name: 'http_requests_total',
    labels: [['code', 'a"b\\c\nd']],
    value: 1,
    timeMs: null,
    startMs: null,
    exemplars: [],
  });
  expect(samples).toContainEqual(
    expect.objectContaining({ name: 'request_duration_seconds_bucket', labels: [['le', '+Inf']], value: 3 }),
  );
});

test('what client_golang exposes as OpenMetrics is read, with exemplars and start times', () => {
  const { samples, help } = parseExposition(text('golang_openMetrics'), { openMetrics: true });
  const scraped = samples.map((sample) => ({ ...sample, ended: false, timeMs: 1_800_000_000_000 }));
  const points = metricPointObjects(scrapedBatch(scraped, help, 7));
  const requests = points.find(({ metric }) => metric.name === 'http_requests_total');
  expect(requests).toMatchObject({
    metric: { type: 2, monotonic: true, description: 'Requests \\ taken\nby code' },
    value: 3,
    exemplars: [{ traceId: TRACE_ID, value: 3 }],
  });
  // http_requests_created is 1.795812210587335e+09.
  expect(Number((requests?.startTime ?? 0n) / 1_000_000n)).toBe(1_795_812_210_587);
  expect(points.filter(({ metric }) => metric.name.endsWith('_created'))).toEqual([]);
  const buckets = points.filter(({ metric }) => metric.name === 'request_duration_seconds_bucket');
  expect(buckets.at(-1)).toMatchObject({ exemplars: [{ traceId: TRACE_ID, spanId: 'eee19b7ec3c1b174' }] });
});

it.each([
  ['a 1', { name: 'a', value: 1, timeMs: null }],
  ['a{} +Inf 1700000000123', { name: 'a', value: Number.POSITIVE_INFINITY, timeMs: 1_700_000_000_123 }],
  ['  a { x = "1" , } -1.5e-3', { name: 'a', labels: [['x', '1']], value: -0.0015 }],
  ['{"a.b","c d"="e"} 2', { name: 'a.b', labels: [['c d', 'e']], value: 2 }],
  ['a NaN', { value: Number.NaN }],
])('%s', (line, expected) => {
  expect(parseExposition(`${line}\n`, { openMetrics: false }).samples).toMatchObject([expected]);
});

it.each([['a'], ['a x'], ['{x="1"} 1'], ['a{x} 1'], ['a{x="1} 1'], ['a{x="1"'], ['a 1 2 3'], ['a 1 # {x="y"} 1']])(
  '%s is refused',
  (line) => {
    expect(() => parseExposition(line, { openMetrics: false })).toThrow(ProtocolDecodeError);
  },
);

test('bounds and quantiles are written in one way, as Prometheus 3 does; other labels stay as they are', () => {
  const text = `# TYPE h histogram
h_bucket{le="1",of="1"} 1
h_bucket{le="+Inf"} 1
# TYPE s summary
s{quantile="1"} 1
s{quantile="0.50"} 1
# TYPE g gauge
g{le="1",quantile="1"} 1
`;
  expect(parseExposition(text, { openMetrics: false }).samples.map(({ labels }) => labels)).toEqual([
    [
      ['le', '1.0'],
      ['of', '1'],
    ],
    [['le', '+Inf']],
    [['quantile', '1.0']],
    [['quantile', '0.5']],
    [
      ['le', '1'],
      ['quantile', '1'],
    ],
  ]);
});

it('OpenMetrics ends with # EOF and nothing behind it', () => {
  expect(() => parseExposition('a 1\n', { openMetrics: true })).toThrow('# EOF');
  expect(() => parseExposition('# EOF\na 1\n', { openMetrics: true })).toThrow('behind');
});

it.each([
  ['golang_text', false],
  ['golang_openMetrics', true],
] as const)(
  'never does anything but read or refuse hostile bytes (%s)',
  { timeout: FUZZ_TIMEOUT },
  (name, openMetrics) => {
    const parse = (bytes: Uint8Array) => parseExposition(Buffer.from(bytes).toString(), { openMetrics });
    fuzz([goClientBytes(name)], parse, (error) => error instanceof ProtocolDecodeError);
  },
);
