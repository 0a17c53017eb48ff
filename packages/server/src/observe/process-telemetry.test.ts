import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { TelemetryRegistry } from '../pipeline/telemetry-registry.ts';
import { observeProcess } from './process-telemetry.ts';

test('garbage collections, with their pauses', async () => {
  const telemetry = new TelemetryRegistry();
  observeProcess(telemetry);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const before = performance.now();
  collect();
  const tookSeconds = (performance.now() - before) / 1000;
  const pauses = await vi.waitUntil(() => {
    const metric = telemetry.collect().find(({ name }) => name === 'v8js_gc_duration_seconds');
    return metric?.series.find(({ attributes }) => attributes.v8js_gc_type === 'major');
  });
  const { count, sum } = pauses as { count: number; sum: number };
  expect(count).toBe(1);
  expect(sum).toBeGreaterThan(tookSeconds / 2);
  expect(sum).toBeLessThanOrEqual(tookSeconds);
});
