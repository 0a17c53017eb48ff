import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { resolveConfiguration } from '../configuration.ts';
import { Environment } from '../environment.ts';
import { record } from '../testing/record.ts';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import { registry, violations } from '../testing/registry.ts';
import { hostMetricsInstrumentation } from './host-metrics.ts';
import { parseCpuTimes, parseDisks, parseInterfaces, parseMemory, parseProcessStatus } from './proc-files.ts';
import { processMetricsInstrumentation } from './process-metrics.ts';

/** Formats as https://man7.org/linux/man-pages/man5/proc.5.html has them. */
describe('the kernel’s files', () => {
  test('/proc/self/status', () => {
    expect(parseProcessStatus('Name:\tnode\nVmPeak:\t  999 kB\nVmSize:\t  700 kB\nThreads:\t11\n')).toEqual({
      virtualBytes: 716_800,
      threads: 11,
    });
    expect(parseProcessStatus('')).toEqual({ virtualBytes: undefined, threads: undefined });
  });

  test('/proc/stat, in hundredths of a second', () => {
    expect(parseCpuTimes('cpu  100 200 300 400 500 60 70 80 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 1\n')).toEqual({
      user: 1,
      nice: 2,
      system: 3,
      idle: 4,
      iowait: 5,
      interrupt: 1.3,
      steal: 0.8,
    });
    expect(parseCpuTimes('')).toBeUndefined();
  });

  test('/proc/meminfo, in kibibytes', () => {
    const text =
      'MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 60 kB\nBuffers: 5 kB\nCached: 40 kB\nSReclaimable: 3 kB\n';
    expect(parseMemory(text)).toEqual({
      total: 102_400,
      available: 61_440,
      free: 10_240,
      buffers: 5120,
      cached: 44_032,
      used: 43_008,
    });
  });

  test('/proc/net/dev, with a name that has a colon close by', () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      200       2    0    0    0     0       0          0
  eth0:12345678901    1    0    0    0     0          0         0      400       2    0    0    0     0       0          0
`;
    expect(parseInterfaces(text)).toEqual([
      { name: 'lo', received: 100, transmitted: 200 },
      { name: 'eth0', received: 12_345_678_901, transmitted: 400 },
    ]);
  });

  test('/proc/diskstats, whole disks only, in sectors of 512 bytes', () => {
    const text = `   7       0 loop0 9 0 9 0 9 0 9 0 0 0 0
 254       0 vda 10 1 16 5 20 2 32 6 0 7 8 0 0 0 0
 254       1 vda1 9 0 9 0 9 0 9 0 0 0 0
`;
    expect(parseDisks(text, (device) => device !== 'vda1')).toEqual([
      { device: 'vda', reads: 10, readBytes: 8192, writes: 20, writtenBytes: 16_384 },
    ]);
  });
});

const all = [processMetricsInstrumentation, hostMetricsInstrumentation];

test('the process is measured, and the machine on request', async () => {
  const sink = await record(all, () => {}, { metrics: { host: true } });
  const value = (metric: string, attributes = {}): number => sink.point(metric, attributes).value;
  expect(value('process.cpu.time', { 'cpu.mode': 'user' })).toBeGreaterThan(0);
  expect(value('process.cpu.utilization', { 'cpu.mode': 'user' })).toBeGreaterThanOrEqual(0);
  // Neither is smaller than a Node that does nothing.
  expect(value('process.memory.usage')).toBeGreaterThan(20_000_000);
  expect(value('process.uptime')).toBeGreaterThan(0);
  expect(value('process.context_switches', { 'process.context_switch.type': 'voluntary' })).toBeGreaterThan(0);
  expect(value('process.paging.faults', { 'system.paging.fault.type': 'minor' })).toBeGreaterThan(0);
  expect(value('system.cpu.logical.count')).toBe(os.cpus().length);
  expect(value('system.cpu.time', { 'cpu.mode': 'user' })).toBeGreaterThan(0);
  const utilizations = sink.points.filter(({ metric }) => metric === 'system.cpu.utilization');
  for (const point of utilizations) expect(point.value).toBeLessThanOrEqual(1);
  expect(value('system.memory.limit')).toBe(os.totalmem());
  expect(value('system.memory.usage', { 'system.memory.state': 'used' })).toBeGreaterThan(0);
  expect(value('system.uptime')).toBeGreaterThan(0);
});

test.skipIf(process.platform !== 'linux')('on Linux also what only the kernel’s files say', async () => {
  const sink = await record(all, () => {}, { metrics: { host: true } });
  expect(sink.point('process.memory.virtual').value).toBeGreaterThan(sink.point('process.memory.usage').value);
  // The main thread and at least one that compiles or collects.
  expect(sink.point('process.thread.count').value).toBeGreaterThan(1);
  expect(sink.point('process.unix.file_descriptor.count').value).toBeGreaterThan(2);
  const received = { 'network.interface.name': 'lo', 'network.io.direction': 'receive' };
  expect(sink.point('system.network.io', received).value).toBeGreaterThan(0);
});

test('OTEL_NODE_HOST_METRICS is such a request', () => {
  const warnings = new RecordedWarnings();
  const hostMetrics = (value: string) =>
    resolveConfiguration({}, new Environment({ OTEL_NODE_HOST_METRICS: value }, warnings), warnings).settings
      .hostMetrics;
  expect([hostMetrics('true'), hostMetrics('')]).toEqual([true, false]);
});

test('without the request nothing is said of the machine', async () => {
  const sink = await record(all, () => {});
  const metrics = new Set(sink.points.map(({ metric }) => metric));
  expect([...metrics].filter((metric) => metric.startsWith('system.'))).toEqual([]);
  expect(metrics).toContain('process.memory.usage');
});

test.skipIf(registry === undefined)('names, kinds, units and attributes are those of the conventions', async () => {
  if (registry === undefined) return;
  const sink = await record(all, () => {}, { metrics: { host: true } });
  const kinds = { counter: 'sum true', updowncounter: 'sum false', gauge: 'gauge false' } as const;
  for (const point of sink.points.filter(({ scope }) => /\/(?:process|host)-metrics$/.test(scope))) {
    const defined = registry.metrics[point.metric];
    expect(defined, point.metric).toBeDefined();
    expect(defined?.deprecated, point.metric).toBeUndefined();
    expect(`${point.type} ${point.monotonic}`, point.metric).toBe(kinds[defined?.instrument as keyof typeof kinds]);
    expect(point.unit, point.metric).toBe(defined?.unit);
    expect(Object.keys(defined?.attributes ?? {})).toEqual(expect.arrayContaining(Object.keys(point.attributes)));
    expect(violations(point.attributes, registry)).toEqual([]);
  }
});
