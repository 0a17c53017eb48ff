import os from 'node:os';
import type { Meter } from '@opentelemetry/api';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import {
  type CpuMode,
  cpuModes,
  type Memory,
  parseCpuTimes,
  parseDisks,
  parseInterfaces,
  parseMemory,
  readNames,
  readText,
} from './proc-files.ts';

const scope = '@signalbox/node/host-metrics';

/** A machine that runs containers has an interface for each. */
const maxInterfaces = 32;
const maxDisks = 32;

/**
 * The machine that this process runs on (https://opentelemetry.io/docs/specs/semconv/system/system-metrics/), for where
 * nobody else tells of it. Only on request (`metrics.host`): every process of a machine would tell the same. Processors
 * and memory everywhere; network and disks on Linux. Inside a container these are mostly the host's figures.
 */
export const hostMetricsInstrumentation: Instrumentation = {
  name: 'host-metrics',
  enable({ meterProvider, settings, wants }: InstrumentationContext): InstrumentationHandle {
    if (!settings.hostMetrics || !wants.metrics) return handleOf();
    const meter = meterProvider.getMeter(scope, version);
    observeProcessors(meter);
    observeMemory(meter);
    observeNetwork(meter);
    observeDisks(meter);
    meter
      .createObservableGauge('system.uptime', { description: 'The time the system has been running.', unit: 's' })
      .addCallback((result) => result.observe(os.uptime()));
    return handleOf();
  },
};

function observeProcessors(meter: Meter): void {
  const time = meter.createObservableCounter('system.cpu.time', {
    description: 'Seconds each logical CPU spent on each mode.',
    unit: 's',
  });
  const utilization = meter.createObservableGauge('system.cpu.utilization', {
    description: 'CPU time since the last measurement, divided by the elapsed time, by mode.',
    unit: '1',
  });
  const count = meter.createObservableUpDownCounter('system.cpu.logical.count', {
    description: 'Reports the number of logical (virtual) processor cores created by the operating system.',
    unit: '{cpu}',
  });
  let last = cpuTimes();
  meter.addBatchObservableCallback(
    (result) => {
      const now = cpuTimes();
      const elapsed = cpuModes.reduce((sum, mode) => sum + (now[mode] ?? 0) - (last[mode] ?? 0), 0);
      for (const mode of cpuModes) {
        const seconds = now[mode];
        if (seconds === undefined) continue;
        const attributes = { 'cpu.mode': mode };
        result.observe(time, seconds, attributes);
        // The kernel lets some of these run backwards by a tick.
        if (elapsed > 0) result.observe(utilization, Math.max(0, seconds - (last[mode] ?? 0)) / elapsed, attributes);
      }
      result.observe(count, os.cpus().length);
      last = now;
    },
    [time, utilization, count],
  );
}

/** Seconds of all processors together; modes that a system does not tell apart are missing. */
function cpuTimes(): Readonly<Partial<Record<CpuMode, number>>> {
  const fromKernel = parseCpuTimes(readText('/proc/stat'));
  if (fromKernel !== undefined) return fromKernel;
  const sums = { user: 0, nice: 0, system: 0, idle: 0, interrupt: 0 };
  for (const { times } of os.cpus()) {
    sums.user += times.user / 1000;
    sums.nice += times.nice / 1000;
    sums.system += times.sys / 1000;
    sums.idle += times.idle / 1000;
    sums.interrupt += times.irq / 1000;
  }
  return sums;
}

function observeMemory(meter: Meter): void {
  const level = (name: string, description: string) =>
    meter.createObservableUpDownCounter(name, { description, unit: 'By' });
  const usage = level('system.memory.usage', 'Reports memory in use by state.');
  const limit = level('system.memory.limit', 'Total virtual memory available in the system.');
  const available = level('system.memory.linux.available', 'An estimate of how much memory is available.');
  const utilization = meter.createObservableGauge('system.memory.utilization', {
    description: 'Percentage of memory bytes in use.',
    unit: '1',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const fromKernel = parseMemory(readText('/proc/meminfo'));
      const memory: Partial<Memory> & Pick<Memory, 'total'> = fromKernel ?? {
        total: os.totalmem(),
        free: os.freemem(),
        used: os.totalmem() - os.freemem(),
      };
      for (const state of ['used', 'free', 'buffers', 'cached'] as const) {
        const bytes = memory[state];
        if (bytes === undefined) continue;
        result.observe(usage, bytes, { 'system.memory.state': state });
        result.observe(utilization, bytes / memory.total, { 'system.memory.state': state });
      }
      result.observe(limit, memory.total);
      if (fromKernel !== undefined) result.observe(available, fromKernel.available);
    },
    [usage, limit, available, utilization],
  );
}

function observeNetwork(meter: Meter): void {
  meter
    .createObservableCounter('system.network.io', {
      description: 'The number of bytes transmitted and received.',
      unit: 'By',
    })
    .addCallback((result) => {
      for (const { name, received, transmitted } of parseInterfaces(readText('/proc/net/dev')).slice(
        0,
        maxInterfaces,
      )) {
        const of = { 'network.interface.name': name };
        result.observe(received, { ...of, 'network.io.direction': 'receive' });
        result.observe(transmitted, { ...of, 'network.io.direction': 'transmit' });
      }
    });
}

function observeDisks(meter: Meter): void {
  const bytes = meter.createObservableCounter('system.disk.io', {
    description: 'Disk bytes transferred.',
    unit: 'By',
  });
  const operations = meter.createObservableCounter('system.disk.operations', {
    description: 'Disk operations count.',
    unit: '{operation}',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const whole = new Set(readNames('/sys/block'));
      const disks = parseDisks(readText('/proc/diskstats'), (device) => whole.has(device));
      for (const { device, reads, readBytes, writes, writtenBytes } of disks.slice(0, maxDisks)) {
        const read = { 'system.device': device, 'disk.io.direction': 'read' };
        const write = { 'system.device': device, 'disk.io.direction': 'write' };
        result.observe(bytes, readBytes, read);
        result.observe(bytes, writtenBytes, write);
        result.observe(operations, reads, read);
        result.observe(operations, writes, write);
      }
    },
    [bytes, operations],
  );
}
