import { expect, test, vi } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink, spansOf } from '../../pipeline/testing/record-sink.ts';
import { MemoryLimiter } from './memory-limiter.ts';
import { readMemoryLimits } from './memory-limiter-factory.ts';
import { processMemory } from './process-memory.ts';

const MIB = 1024 * 1024;
const batch = () =>
  spansOf({
    resourceSpans: [
      { scopeSpans: [{ spans: [{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174' }] }] },
    ],
  });

test('refuses above the soft limit with a time to come back, and takes records again below it', async () => {
  const sink = new RecordSink();
  let [used, collections, now] = [0, 0, 0];
  const memory = { usedBytes: () => used, collect: () => void collections++ };
  const context = testContext({ now: () => now });
  const limits = { softBytes: 80, hardBytes: 100, checkIntervalMs: 1_000 };
  const limiter = new MemoryLimiter(limits, memory, context, sink.consumers);
  const send = () => limiter.consumers.traces?.consume(batch());
  await send();
  used = 90;
  // Not looked at again before the interval is over.
  await send();
  now += 1_000;
  await expect(send()).rejects.toMatchObject({ code: 'resource_exhausted', retryable: true, retryAfterMs: 1_000 });
  expect(collections).toBe(1);
  now += 1_000;
  await expect(send()).rejects.toThrow();
  expect(collections).toBe(1);
  used = 101;
  now += 1_000;
  await expect(send()).rejects.toThrow();
  expect(collections).toBe(2);
  used = 80;
  now += 1_000;
  await send();
  expect(sink.spans).toHaveLength(3);
  expect(context.counted('otelcol_processor_refused_spans')).toBe(3);
  expect(context.logged.map((line) => line.split(':')[0])).toEqual(['warn', 'info']);
});

test('what a collection frees is not held against anybody', async () => {
  const sink = new RecordSink();
  let used = 200;
  const memory = {
    usedBytes: () => used,
    collect() {
      used = 10;
    },
  };
  const limits = { softBytes: 80, hardBytes: 100, checkIntervalMs: 1 };
  const limiter = new MemoryLimiter(limits, memory, testContext(), sink.consumers);
  await limiter.consumers.traces?.consume(batch());
  expect(sink.spans).toHaveLength(1);
});

test('the memory of this process grows with buffers and shrinks when they are collected', async () => {
  processMemory.collect();
  const before = processMemory.usedBytes();
  let buffers: Buffer[] = Array.from({ length: 8 }, () => Buffer.alloc(MIB, 1));
  expect(processMemory.usedBytes() - before).toBeGreaterThan(7 * MIB);
  expect(buffers).toHaveLength(8);
  buffers = [];
  // The engine gives buffers back a moment after it found them unused.
  await vi.waitFor(() => {
    processMemory.collect();
    expect(processMemory.usedBytes() - before).toBeLessThan(4 * MIB);
  });
});

// memorylimiterprocessor's README: soft = limit - spike; spike defaults to 20 % of the limit; MiB go before percentages.
test.each([
  ['limit_mib: 1000\nspike_limit_mib: 200', 1000 * MIB, 800 * MIB],
  ['limit_mib: 1000', 1000 * MIB, 800 * MIB],
  ['limit_percentage: 50\nspike_limit_percentage: 30', 2000 * MIB, 800 * MIB],
  ['limit_mib: 100\nlimit_percentage: 50', 100 * MIB, 80 * MIB],
])('%j', (yaml, hardBytes, softBytes) => {
  expect(readMemoryLimits(settingsOf(yaml), 4000 * MIB)).toEqual({ hardBytes, softBytes, checkIntervalMs: 1_000 });
});

test.each([
  ['check_interval: 1s', /limit_mib or limit_percentage is required/],
  ['limit_mib: 100\ncheck_interval: 0s', /check_interval: it must be more than 0/],
  ['limit_mib: 100\nspike_limit_mib: 100', /spike_limit_mib: it must be less than the limit/],
])('%j is refused', (yaml, message) => {
  expect(() => readMemoryLimits(settingsOf(yaml), 4000 * MIB)).toThrow(message);
});
