import { describe, expect, test } from 'vitest';
import { goClientBytes } from '../testing/go-clients.ts';
import { crc32c } from './chunks/crc32c.ts';
import { encodeChunks } from './chunks/encode-chunks.ts';
import { encodeChunkedRead } from './encode-chunked-read.ts';
import type { ReadHistogram, ReadSeries } from './encode-remote-read.ts';

const labels = [
  ['__name__', 'größe'],
  ['foo', 'bar'],
] as const;

/** Of every size that a change of the distance, and of the value, may have; one is Prometheus's mark of an end. */
const numbers: ReadSeries = {
  labels,
  times: [
    -5, 1_000, 2_005, 3_010, 12_207, 12_208, 12_209, 77_745, 602_033, 1_700_000_000_000, 1_700_000_015_000,
    1_700_000_030_000, 1_700_000_045_000,
  ],
  values: [1, 1, 2, 0.1, -0.1, 1e300, 5e-324, 0, Number.NEGATIVE_INFINITY, 12_345.678, 12_346.678, Number.NaN, 3],
  stale: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
};

const histogram: ReadHistogram = {
  schema: 2,
  zeroThreshold: 2 ** -10,
  zeroCount: 1.5,
  count: 10.5,
  sum: 3.25,
  positive: { indexes: [-20, -19, 282], counts: [1, 2, 3] },
  negative: { indexes: [1], counts: [3] },
  customBounds: [],
  resetHint: 'unknown',
};

/** The histogram after so many steps, all counts growing. */
function grown(steps: number, change: Partial<ReadHistogram> = {}): ReadHistogram {
  return {
    ...histogram,
    zeroCount: 1.5 + steps,
    count: 10.5 + 5 * steps,
    sum: 3.25 - steps,
    positive: { indexes: [-20, -19, 282], counts: [1 + steps, 2, 3 + 2 * steps] },
    negative: { indexes: [1], counts: [3 + steps] },
    ...change,
  };
}

function ofHistograms(histograms: readonly (ReadHistogram | undefined)[]): ReadSeries {
  const times = histograms.map((_, i) => 1_700_000_000_000 + i * 15_000 + i * i * 7);
  return { labels, times, values: times.map(() => 0), histograms };
}

/** How many samples stand in each chunk, by its first two bytes. */
function countsOf(series: ReadSeries): number[] {
  return Array.from(encodeChunks(series), ({ data: [high = 0, low = 0] }) => high * 256 + low);
}

test('a checksum is that of Castagnoli', () => {
  // RFC 3720, B.4, and the usual text of such tests.
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});

describe('chunks are those that the Go library makes', () => {
  const four = [0, 1, 2, 3];
  const custom = {
    ...histogram,
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 6,
    sum: 7.5,
    positive: { indexes: [0, 1, 2, 3], counts: [1, 2, 3, 0] },
    negative: { indexes: [], counts: [] },
    customBounds: [-1.5, 0.005, 33_554.43, 1e9],
  };

  test.each([
    ['xorChunk', numbers, 1],
    ['floatHistogramChunk', ofHistograms(four.map((steps) => grown(steps))), 3],
    [
      'gaugeHistogramChunk',
      ofHistograms(four.map((steps) => grown(steps, { zeroThreshold: 0.3, resetHint: 'gauge' }))),
      3,
    ],
    ['customHistogramChunk', { ...ofHistograms([custom]), times: [1] }, 3],
  ] as const)('%s', (name, series, type) => {
    expect(Array.from(encodeChunks(series), (chunk) => [chunk.type, hex(chunk.data)])).toEqual([
      [type, hex(goClientBytes(name))],
    ]);
  });

  test('in a frame', () => {
    expect(Array.from(encodeChunkedRead(3, numbers), hex)).toEqual([hex(goClientBytes('chunkedReadFrame'))]);
  });
});

describe('a chunk ends', () => {
  test('after 120 samples', () => {
    const times = Array.from({ length: 250 }, (_, i) => i * 15_000);
    expect(countsOf({ labels, times, values: times })).toEqual([120, 120, 10]);
  });

  test('where numbers and histograms meet', () => {
    expect(countsOf(ofHistograms([grown(0), grown(1), undefined, grown(2)]))).toEqual([2, 1, 1]);
  });

  // Readers take it that nothing falls within a chunk.
  test.each([
    ['a counter begins anew', grown(0)],
    ['that is said', grown(2, { resetHint: 'reset' })],
    ['one bucket falls', grown(2, { positive: { indexes: [-20, -19, 282], counts: [3, 1, 7] } })],
    ['there is another bucket', grown(2, { negative: { indexes: [1, 2], counts: [5, 1] } })],
    ['buckets have another width', grown(2, { schema: 1 })],
    ['the zero bucket has another width', grown(2, { zeroThreshold: 0.5 })],
    ['a gauge comes', grown(2, { resetHint: 'gauge' })],
  ])('where %s', (_, next) => {
    expect(countsOf(ofHistograms([grown(0), grown(1), next]))).toEqual([2, 1]);
  });

  test('after some thousand buckets', () => {
    const wide = (buckets: number): ReadHistogram => {
      const indexes = Array.from({ length: buckets }, (_, at) => at);
      return grown(0, { positive: { indexes, counts: indexes }, negative: { indexes: [], counts: [] } });
    };
    // Count, sum and zero bucket are as much as a bucket each.
    expect(countsOf(ofHistograms(Array.from({ length: 9 }, () => wide(997))))).toEqual([4, 4, 1]);
    expect(countsOf(ofHistograms([wide(9_000), wide(9_000)]))).toEqual([1, 1]);
    expect(countsOf(ofHistograms(Array.from({ length: 121 }, () => wide(30))))).toEqual([120, 1]);
  });

  test('but not where a gauge falls', () => {
    const gauge = { resetHint: 'gauge' } as const;
    expect(countsOf(ofHistograms([grown(3, gauge), grown(1, gauge)]))).toEqual([2]);
  });
});

test('a long series is in several frames, a chunk never in two', () => {
  // Random numbers: some eight bytes each.
  const times = Array.from({ length: 60_000 }, (_, i) => i * 15_000);
  let state = 1;
  const values = times.map(() => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.sin(state);
  });
  const frames = [...encodeChunkedRead(0, { labels, times, values })];
  expect(frames.length).toBeGreaterThan(5);
  for (const frame of frames) expect(frame.length).toBeLessThan(68 * 1024);
});

test('frames of histograms with many buckets are not much longer', () => {
  const indexes = Array.from({ length: 1_000 }, (_, at) => at);
  const histograms = Array.from({ length: 120 }, (_, step) =>
    grown(0, {
      count: 1e9 + step,
      positive: { indexes, counts: indexes.map((at) => step * 100 + Math.sin(at * 121 + step)) },
      negative: { indexes: [], counts: [] },
    }),
  );
  const frames = [...encodeChunkedRead(0, ofHistograms(histograms))];
  for (const frame of frames) expect(frame.length).toBeLessThan(110 * 1024);
  expect(frames.length).toBeGreaterThan(5);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
