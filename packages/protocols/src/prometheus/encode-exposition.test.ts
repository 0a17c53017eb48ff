import { expect, test } from 'vitest';
import { decodeExposition } from './decode-exposition.ts';
import { type EncodedSeries, encodeFamilyHead, encodeMetrics } from './encode-exposition.ts';
import type { ReadHistogram } from './encode-remote-read.ts';

type Family = Parameters<typeof encodeFamilyHead>[0] & { readonly series: readonly EncodedSeries[] };

/** The metrics in pieces of one. */
function encodeFamily(family: Family, utf8Names: boolean): Uint8Array {
  const metrics = family.series.map((one) => encodeMetrics([one], utf8Names));
  const bytes = metrics.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([encodeFamilyHead(family, bytes, utf8Names), ...metrics]);
}

const decoded = (family: Family, utf8Names = true) =>
  decodeExposition(encodeFamily(family, utf8Names), { native: true, classicToo: true }).samples;

test('as Prometheus 3.16 writes it', () => {
  const labels = [
    ['instance', 'b'],
    ['job', 'shop/web'],
  ] as const;
  const value: ReadHistogram = {
    schema: 8,
    zeroThreshold: 1e-128,
    zeroCount: 1_800,
    count: 10_803,
    sum: 3_600,
    positive: { indexes: [0, 1], counts: [1_801, 3_601] },
    negative: { indexes: [1], counts: [3_601] },
    customBounds: [],
    resetHint: 'unknown',
  };
  const series = [{ labels, timeMs: 1_795_931_994_000, value }];
  expect(
    Buffer.from(encodeFamily({ name: 'expo_milliseconds', type: 'histogram', series }, true)).toString('hex'),
  ).toBe(
    '8d010a116578706f5f6d696c6c697365636f6e6473180422760a0d0a08696e7374616e63651201620a0f0a036a6f62120873686f702f776562' +
      '3090ef8dafa2343a4d11000000000020ac4021000000008019c5402810319d978ccf08ba5b25410000000000209c404a0408021001' +
      '59000000000022ac40620408001002710000000000249c4071000000000022ac40',
  );
});

const histogram: ReadHistogram = {
  schema: 2,
  zeroThreshold: 0.001,
  zeroCount: 1.5,
  count: 11,
  sum: -3,
  positive: { indexes: [-2, -1, 4], counts: [1, 2, 0.5] },
  negative: { indexes: [0], counts: [6] },
  customBounds: [],
  resetHint: 'unknown',
};

test('a histogram with exponential buckets, whose counts may be any', () => {
  const family = { name: 'h', type: 'histogram', series: [{ labels: [], timeMs: -1, value: histogram }] } as const;
  const value = {
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: 1.5,
    count: 11,
    sum: -3,
    positive: {
      spans: [
        { offset: -2, length: 2 },
        { offset: 4, length: 1 },
      ],
      deltas: [],
      counts: [1, 2, 0.5],
    },
    negative: { spans: [{ offset: 0, length: 1 }], deltas: [], counts: [6] },
    customValues: [],
  };
  expect(decoded(family)[0]).toEqual({ name: 'h', labels: [], value, timeMs: -1, startMs: null, exemplars: [] });
});

test('one with bounds of its own is a classic one', () => {
  const custom = {
    ...histogram,
    schema: -53,
    zeroCount: 0,
    positive: { indexes: [0, 2], counts: [4, 7] },
    negative: { indexes: [], counts: [] },
    customBounds: [1, 2.5],
  };
  const family = {
    name: 'c',
    type: 'histogram',
    series: [{ labels: [['a', 'b']], timeMs: 1, value: custom }],
  } as const;
  expect(decoded(family).map(({ name, labels, value }) => [name, labels.at(-1)?.[1], value])).toEqual([
    ['c_bucket', '1.0', 4],
    ['c_bucket', '2.5', 4],
    ['c_bucket', '+Inf', 11],
    ['c_sum', 'b', -3],
    ['c_count', 'b', 11],
  ]);
});

test('names that were not always allowed have underscores, unless the reader takes them', () => {
  const family = {
    name: '1.x:y',
    type: 'untyped',
    series: [{ labels: [['ä.b', 'ä.b']], timeMs: 1, value: 1 }],
  } as const;
  expect(decoded(family, false)[0]).toMatchObject({ name: '__x:y', labels: [['__b', 'ä.b']] });
  expect(decoded(family, true)[0]).toMatchObject({ name: '1.x:y', labels: [['ä.b', 'ä.b']] });
});
