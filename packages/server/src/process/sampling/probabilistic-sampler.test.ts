import { randomBytes } from 'node:crypto';
import { logObjects, spanObjects } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import { spanWeight } from '../span-weight.ts';
import { type LogInput, logsOf, type SpanInput, spansOf } from '../testing/requests.ts';
import { type LogSamplerSettings, sampleLogs, sampleSpans } from './probabilistic-sampler.ts';
import { parseBits56, printThreshold, probabilityOf, thresholdOf } from './threshold.ts';

const settings = { mode: 'proportional', percentage: 25, hashSeed: 0, failClosed: true, precision: 4 } as const;
const logSettings: LogSamplerSettings = {
  ...settings,
  attributeSource: 'traceID',
  fromAttribute: null,
  samplingPriority: null,
};

/** Spans of traces whose randomness is this. */
const spanOf = (randomness: string, rest: SpanInput = {}): SpanInput => ({
  traceId: `ffffffffffffffff00${randomness.padEnd(14, '0')}`,
  ...rest,
});

function states(change: Partial<Parameters<typeof sampleSpans>[0]>, ...spans: SpanInput[]): string[] {
  return spanObjects(sampleSpans({ ...settings, ...change })(spansOf(...spans))).map(({ traceState }) => traceState);
}

// "TraceState: probability sampling" of OpenTelemetry, and the examples of the Collector's sampler (README).
describe('thresholds', () => {
  it.each([
    [1, '0'],
    [0.5, '8'],
    [0.25, 'c'],
    [0.75, '4'],
    [1 / 3, 'aaab'],
    [0.1, 'e666'],
    [0.01, 'fd70a'],
    [1 / 16, 'f'],
  ])('of the probability %s are %s', (probability, expected) => {
    expect(printThreshold(thresholdOf(probability, 4))).toBe(expected);
  });

  it('give their probability back', () => {
    for (const hex of ['0', '8', 'c', 'e666', 'fffffffffffff']) {
      const threshold = parseBits56(hex, false);
      expect(threshold).not.toBeNull();
      if (threshold !== null) expect(printThreshold(thresholdOf(probabilityOf(threshold), 14))).toBe(hex);
    }
  });
});

describe('the proportional sampler', () => {
  it('keeps what is random enough, and writes its threshold', () => {
    expect(states({}, spanOf('c'), spanOf('bfffffffffffff'), spanOf('ff'))).toEqual(['ot=th:c', 'ot=th:c']);
  });

  it('prefers the explicit randomness', () => {
    const traceState = 'ot=rv:9b8233f7e3a151,other=1';
    expect(states({ percentage: 50 }, spanOf('0', { traceState }))).toEqual(['ot=th:8;rv:9b8233f7e3a151,other=1']);
    expect(states({ percentage: 25 }, spanOf('ff', { traceState }))).toEqual([]);
  });

  it('keeps a share of what earlier samplers left', () => {
    const traceState = 'a=b,ot=th:8';
    expect(states({ percentage: 50 }, spanOf('c', { traceState }), spanOf('b', { traceState }))).toEqual([
      'ot=th:c,a=b',
    ]);
  });

  it('drops spans with a threshold that is not true, unless it fails open', () => {
    const span = spanOf('4', { traceState: 'ot=th:8' });
    expect(states({ percentage: 100 }, span)).toEqual([]);
    expect(states({ percentage: 100, failClosed: false }, span)).toEqual(['ot=th:8']);
  });
});

describe('the equalizing sampler', () => {
  it('raises thresholds to its own, and leaves higher ones', () => {
    const mode = 'equalizing';
    expect(
      states(
        { mode, percentage: 50 },
        spanOf('f', { traceState: 'ot=th:c' }),
        spanOf('9', { traceState: 'ot=th:4' }),
        spanOf('7', { traceState: 'ot=th:4' }),
        spanOf('a'),
      ),
    ).toEqual(['ot=th:c', 'ot=th:8', 'ot=th:8']);
  });
});

describe('the hashing sampler', () => {
  const mode = 'hash_seed';
  const spans = Array.from({ length: 4_000 }, () => ({ traceId: randomBytes(16).toString('hex') }));
  const kept = (percentage: number, hashSeed: number) =>
    spanObjects(sampleSpans({ ...settings, mode, percentage, hashSeed })(spansOf(...spans))).map(
      ({ traceId }) => traceId,
    );

  it('keeps about the share that it is told, the same traces for the same seed', () => {
    const quarter = kept(25, 7);
    // Six standard deviations.
    expect(Math.abs(quarter.length - 1_000)).toBeLessThan(6 * Math.sqrt(4_000 * 0.25 * 0.75));
    expect(kept(25, 7)).toEqual(quarter);
    expect(kept(25, 8)).not.toEqual(quarter);
    expect(kept(50, 7)).toEqual(expect.arrayContaining(quarter));
    expect(kept(0, 7)).toEqual([]);
    expect(kept(100, 7)).toHaveLength(4_000);
  });

  it('writes threshold and randomness that agree', () => {
    const [state] = states({ mode, percentage: 100, hashSeed: 1 }, spanOf('5'));
    expect(state).toMatch(/^ot=th:0;rv:[0-9a-f]{14}$/);
    // Another sampler decides alike from what was written.
    const batch = spansOf(...spans);
    const sampled = sampleSpans({ ...settings, mode, percentage: 25, hashSeed: 7 })(batch);
    expect(sampleSpans({ ...settings, mode: 'equalizing', percentage: 25 })(sampled).rowCount).toBe(sampled.rowCount);
  });

  it('leaves spans alone that another kind of sampler has sampled', () => {
    expect(states({ mode, percentage: 100 }, spanOf('f', { traceState: 'ot=th:8' }))).toEqual([]);
    expect(states({ mode, percentage: 100, failClosed: false }, spanOf('f', { traceState: 'ot=th:8' }))).toEqual([
      'ot=th:8',
    ]);
  });
});

it('what is kept stands for as many spans as its weight says', () => {
  const batch = sampleSpans({ ...settings, percentage: 10 })(spansOf(spanOf('ff')));
  const weight = spanWeight(batch.bytes, batch.traceState.start[0] ?? 0, batch.traceState.end[0] ?? 0);
  expect(weight).toBeCloseTo(10, 2);
});

it('a span may ask to be kept or dropped', () => {
  const keep = { attributes: { 'sampling.priority': 1 } };
  const drop = { attributes: { 'sampling.priority': '0' } };
  expect(states({}, spanOf('0', keep), spanOf('ff', drop))).toEqual(['ot=th:0']);
});

describe('log records', () => {
  const trace = (randomness: string) => `ffffffffffffffff00${randomness.padEnd(14, '0')}`;
  const attributes = (change: Partial<LogSamplerSettings>, ...records: LogInput[]) =>
    logObjects(sampleLogs({ ...logSettings, ...change })(logsOf(...records))).map((log) =>
      Object.fromEntries(log.attributes),
    );

  it('are sampled with their trace', () => {
    expect(attributes({}, { traceId: trace('f') }, { traceId: trace('1') })).toEqual([{ 'sampling.threshold': 'c' }]);
  });

  it('without a trace are sampled by an attribute', () => {
    const records = Array.from({ length: 400 }, (_, i) => ({ attributes: { pod: `pod-${i % 40}` } }));
    const kept = attributes({ fromAttribute: 'pod', percentage: 50 }, ...records);
    const pods = new Set(kept.map((log) => log.pod));
    // All records of a pod or none.
    expect(kept).toHaveLength(pods.size * 10);
    expect(pods.size).toBeGreaterThan(0);
    expect(pods.size).toBeLessThan(40);
    expect(kept[0]).toMatchObject({
      'sampling.threshold': '8',
      'sampling.randomness': expect.stringMatching(/^[0-9a-f]{14}$/),
    });
  });

  it('with nothing to tell their sampling by are dropped, unless it fails open', () => {
    expect(attributes({}, {})).toEqual([]);
    expect(attributes({ failClosed: false }, {})).toEqual([{}]);
  });

  it('may have a percentage of their own', () => {
    const samplingPriority = 'priority';
    const records = [
      { traceId: trace('0'), attributes: { priority: 100 } },
      { traceId: trace('f'), attributes: { priority: 0 } },
    ];
    expect(attributes({ samplingPriority }, ...records)).toEqual([{ priority: 100n, 'sampling.threshold': '0' }]);
  });
});
