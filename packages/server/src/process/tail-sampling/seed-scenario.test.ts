import { createHash } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type SpanInput, START_MS, spansOf } from '../testing/requests.ts';
import type { TailSampler } from './tail-sampler.ts';
import { tailSamplingFactory } from './tail-sampling-factory.ts';

/** "Always keep 100% of error traces, sample 10% of successful traces, reduce storage by 80%": what a team plans as its third phase. */
const CONFIG = `decision_wait: 5s
policies:
  - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
  - {name: tenth, type: probabilistic, probabilistic: {sampling_percentage: 10}}
`;
const TRACES = 3_000;
/** One trace in twelve fails somewhere. */
const isFailed = (n: number) => n % 12 === 5;
const idOf = (n: number) => createHash('md5').update(String(n)).digest('hex');

/** A request through a backend: the error is in the span of a query that comes in a batch of its own. */
function spansOfTrace(n: number): { readonly early: SpanInput[]; readonly late: SpanInput[] } {
  const traceId = idOf(n);
  return {
    early: [
      { traceId, name: 'GET /api/v1/feed', durationMs: 30 },
      { traceId, name: 'redis.get', kind: 3 },
    ],
    late: [
      { traceId, name: 'SELECT', kind: 3, status: isFailed(n) ? 2 : 0 },
      { traceId, name: 'render', kind: 1 },
    ],
  };
}

it('every error is kept whole, a tenth of the others too, and about a fifth of the spans is left', async () => {
  const clock = { now: START_MS };
  const context = testContext({ now: () => clock.now });
  const sink = new RecordSink();
  const sampler = tailSamplingFactory.configure(settingsOf(CONFIG)).create(context, sink.consumers) as TailSampler;
  await sampler.start();
  onTestFinished(() => sampler.shutdown(0));
  const traces = Array.from({ length: TRACES }, (_, n) => spansOfTrace(n));
  for (let n = 0; n < TRACES; n += 100) {
    await sampler.consume(spansOf(...traces.slice(n, n + 100).flatMap(({ early }) => early)));
    clock.now += 50;
    await sampler.consume(spansOf(...traces.slice(n, n + 100).flatMap(({ late }) => late)));
  }
  clock.now += 5_000;
  sampler.decideDue();
  await expect.poll(() => context.gauged('signalbox_tail_sampling_held_bytes')).toBe(0);

  const spansByTrace = new Map<string, number>();
  for (const { traceId } of sink.spans) {
    spansByTrace.set(traceId, (spansByTrace.get(traceId) ?? 0) + 1);
  }
  // No trace was torn apart.
  expect(new Set(spansByTrace.values())).toEqual(new Set([4]));
  const failed = Array.from({ length: TRACES }, (_, n) => n).filter(isFailed);
  expect(failed.filter((n) => !spansByTrace.has(idOf(n)))).toEqual([]);
  const others = spansByTrace.size - failed.length;
  const expected = (TRACES - failed.length) / 10;
  // Six standard deviations.
  expect(Math.abs(others - expected)).toBeLessThan(6 * Math.sqrt(expected * 0.9));
  const share = sink.spans.length / (TRACES * 4);
  expect(share).toBeGreaterThan(0.13);
  expect(share).toBeLessThan(0.22);
});
