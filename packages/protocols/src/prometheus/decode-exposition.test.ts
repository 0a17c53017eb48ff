import { metricPointObjects } from '@signalbox/records';
import { describe, expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { decodeExposition } from './decode-exposition.ts';
import { boundLabel } from './exposition.ts';
import { scrapedBatch } from './scraped-batch.ts';

const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const bytes = goClientBytes('golang_protobuf');

function points(options: Parameters<typeof decodeExposition>[1], exposed = bytes) {
  const { samples, help } = decodeExposition(exposed, options);
  return metricPointObjects(
    scrapedBatch(
      samples.map((sample) => ({ ...sample, ended: false, timeMs: 1_800_000_000_000 })),
      help,
      7,
    ),
  );
}

describe('what client_golang exposes as protobuf', () => {
  const all = points({ native: true, classicToo: false });
  const of = (name: string) => all.filter(({ metric }) => metric.name === name);

  test('a native histogram is an exponential one, of the values 1, 2, 2.5 and 0', () => {
    expect(of('native_seconds')).toMatchObject([
      {
        metric: { type: 4, description: 'Native' },
        count: 4n,
        sum: 5.5,
        // The factor of 1.5 asks for buckets of √2.
        scale: 1,
        zeroCount: 1n,
        // A value at a bucket's upper bound belongs to it: 1 is in (1/√2, 1], 2 in (√2, 2], 2.5 in (2, 2√2].
        positiveOffset: -1,
        positiveCounts: [1n, 0n, 1n, 1n],
        negativeCounts: [],
      },
    ]);
    expect(all.filter(({ metric }) => metric.name.startsWith('native_seconds'))).toHaveLength(1);
  });

  test('counters, classic histograms, summaries and gauges are as their text is', () => {
    expect(of('http_requests_total')).toMatchObject([
      {
        metric: { type: 2, monotonic: true, description: 'Requests \\ taken\nby code' },
        attributes: [['code', '200']],
        value: 3,
        exemplars: [{ traceId: TRACE_ID, value: 3 }],
      },
      { attributes: [['code', 'a"b\\c\nd']], value: 1 },
    ]);
    const buckets = of('request_duration_seconds_bucket');
    expect(buckets.map((point) => [point.attributes, 'value' in point && point.value])).toEqual([
      [[['le', '0.1']], 1],
      [[['le', '1.0']], 2],
      [[['le', '+Inf']], 3],
    ]);
    expect(buckets.at(-1)).toMatchObject({ exemplars: [{ traceId: TRACE_ID, spanId: 'eee19b7ec3c1b174', value: 5 }] });
    expect(of('request_duration_seconds_sum')).toMatchObject([{ value: 5.55 }]);
    expect(of('request_duration_seconds_count')).toMatchObject([{ value: 3 }]);
    expect(of('sizes_bytes')).toMatchObject([{ attributes: [['quantile', '0.5']], value: 10 }]);
    expect(of('sizes_bytes_sum')).toMatchObject([{ value: 30 }]);
    expect(of('temperature_celsius')).toMatchObject([{ metric: { type: 1 }, value: 21.5 }]);
  });

  test('counting began when the client says', () => {
    // The same process exposed http_requests_created as 1.795812210587335e+09.
    const [counter] = of('http_requests_total');
    expect(Number((counter?.startTime ?? 0n) / 1_000_000n)).toBe(1_795_812_210_587);
  });

  test('a native histogram without classic buckets is its count and sum where native ones are not wanted', () => {
    const names = points({ native: false, classicToo: false }).map(({ metric }) => metric.name);
    expect(names).not.toContain('native_seconds');
    expect(names).toEqual(expect.arrayContaining(['native_seconds_count', 'native_seconds_sum']));
  });
});

describe('a histogram that is native and classic', () => {
  // name "h", HISTOGRAM, one metric: 3 observations, a bucket (0.5: 2), schema 0, a span of two buckets from 1 on, with 2 and 1 in them.
  const family = (lists: number[]) =>
    delimited([
      ...[0x0a, 1, 0x68, 0x18, 4],
      ...embedded(0x22, embedded(0x3a, [0x08, 3, ...embedded(0x1a, [0x08, 2, 0x11, ...double(0.5)]), ...lists])),
    ]);
  const span = embedded(0x62, [0x08, 2, 0x10, 2]);
  const oneByOne = family([0x28, 0, ...span, 0x68, 4, 0x68, 1]);

  it.each([
    [{ native: true, classicToo: false }, ['h']],
    [{ native: true, classicToo: true }, ['h', 'h_bucket', 'h_bucket', 'h_sum', 'h_count']],
    [{ native: false, classicToo: false }, ['h_bucket', 'h_bucket', 'h_sum', 'h_count']],
  ])('%j: %j', (options, names) => {
    expect(decodeExposition(oneByOne, options).samples.map(({ name }) => name)).toEqual(names);
  });

  test('gets the bucket of +Inf that the client left out', () => {
    const buckets = decodeExposition(oneByOne, { native: false, classicToo: false }).samples.slice(0, 2);
    expect(buckets.map(({ labels, value }) => [labels, value])).toEqual([
      [[['le', '0.5']], 2],
      [[['le', '+Inf']], 3],
    ]);
  });

  it.each([
    ['one by one', oneByOne],
    ['packed', family([0x28, 0, ...span, ...embedded(0x6a, [4, 1])])],
    ['as floats', family([0x28, 0, ...span, 0x71, ...double(2), 0x71, ...double(1)])],
    ['as packed floats', family([0x28, 0, ...span, ...embedded(0x72, [...double(2), ...double(1)])])],
  ])('has its counts %s', (_, exposed) => {
    expect(points({ native: true, classicToo: false }, exposed)).toMatchObject([
      { scale: 0, positiveOffset: 0, positiveCounts: [2n, 1n] },
    ]);
  });

  test('is refused with more buckets than anybody needs', () => {
    const huge = family([0x28, 0, ...embedded(0x62, [0x08, 2, 0x10, 0xff, 0xff, 0xff, 0x7f])]);
    expect(() => decodeExposition(huge, { native: true, classicToo: false })).toThrow('65536 buckets');
  });
});

it.each([
  ['no name', delimited([0x18, 4])],
  ['an end in the middle', bytes.slice(0, -3)],
])('%s is refused', (_, exposed) => {
  expect(() => decodeExposition(exposed, { native: true, classicToo: false })).toThrow(ProtocolDecodeError);
});

// As Prometheus 3 writes `le` and `quantile`, whatever was exposed.
it.each([
  [1, '1.0'],
  [0, '0.0'],
  [-1, '-1.0'],
  [0.5, '0.5'],
  [1e6, '1e+06'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NaN, 'NaN'],
])('the bound %s is the label %s', (bound, label) => {
  expect(boundLabel(bound)).toBe(label);
});

it('never does anything but read or refuse hostile bytes', { timeout: FUZZ_TIMEOUT }, () => {
  fuzz(
    [bytes],
    (hostile) => points({ native: true, classicToo: true }, Uint8Array.from(hostile)),
    (error) => error instanceof ProtocolDecodeError,
  );
});

function embedded(tag: number, content: readonly number[]): number[] {
  return [tag, content.length, ...content];
}

function delimited(content: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([content.length, ...content]);
}

function double(value: number): number[] {
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}
