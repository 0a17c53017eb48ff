import os from 'node:os';
import type { Meter, Observable } from '@opentelemetry/api';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import { parseProcessStatus, readNames, readText } from './proc-files.ts';

const scope = '@signalbox/node/process-metrics';

/**
 * What this process takes of its machine (https://opentelemetry.io/docs/specs/semconv/system/process-metrics/). Read when
 * metrics are collected, in well under a millisecond; nothing in between.
 */
export const processMetricsInstrumentation: Instrumentation = {
  name: 'process-metrics',
  enable({ meterProvider, wants, postpone }: InstrumentationContext): InstrumentationHandle {
    if (!wants.metrics) return handleOf();
    const from: CpuReading = { usage: process.cpuUsage(), millis: performance.now() };
    postpone(() => {
      const meter = meterProvider.getMeter(scope, version);
      observeCpu(meter, from);
      observeMemory(meter);
      observeResources(meter);
      meter
        .createObservableGauge('process.uptime', { description: 'The time the process has been running.', unit: 's' })
        .addCallback((result) => result.observe(process.uptime()));
    });
    return handleOf();
  },
};

interface CpuReading {
  readonly usage: NodeJS.CpuUsage;
  /** Of `performance.now()`. */
  readonly millis: number;
}

function observeCpu(meter: Meter, from: CpuReading): void {
  const time = meter.createObservableCounter('process.cpu.time', {
    description: 'Total CPU seconds broken down by different CPU modes.',
    unit: 's',
  });
  const utilization = meter.createObservableGauge('process.cpu.utilization', {
    description: 'CPU time since the last measurement, divided by the elapsed time and the number of CPUs available.',
    unit: '1',
  });
  let { usage: last, millis: lastMillis } = from;
  meter.addBatchObservableCallback(
    (result) => {
      const now = process.cpuUsage();
      const nowMillis = performance.now();
      const capacityMicros = (nowMillis - lastMillis) * 1000 * os.availableParallelism();
      for (const mode of ['user', 'system'] as const) {
        const attributes = { 'cpu.mode': mode };
        result.observe(time, now[mode] / 1e6, attributes);
        if (capacityMicros > 0)
          result.observe(utilization, Math.max(0, now[mode] - last[mode]) / capacityMicros, attributes);
      }
      last = now;
      lastMillis = nowMillis;
    },
    [time, utilization],
  );
}

function observeMemory(meter: Meter): void {
  meter
    .createObservableUpDownCounter('process.memory.usage', {
      description: 'The amount of physical memory in use.',
      unit: 'By',
    })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  const virtual = meter.createObservableUpDownCounter('process.memory.virtual', {
    description: 'The amount of committed virtual memory.',
    unit: 'By',
  });
  const threads = meter.createObservableUpDownCounter('process.thread.count', {
    description: 'Process threads count.',
    unit: '{thread}',
  });
  const descriptors = meter.createObservableUpDownCounter('process.unix.file_descriptor.count', {
    description: 'Number of unix file descriptors in use by the process.',
    unit: '{file_descriptor}',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const status = parseProcessStatus(readText('/proc/self/status'));
      if (status.virtualBytes !== undefined) result.observe(virtual, status.virtualBytes);
      if (status.threads !== undefined) result.observe(threads, status.threads);
      // Less the one that reads the folder.
      const open = readNames('/proc/self/fd').length - 1;
      if (open > 0) result.observe(descriptors, open);
    },
    [virtual, threads, descriptors],
  );
}

/** What `getrusage` counts anyway. */
function observeResources(meter: Meter): void {
  const sum = (name: string, unit: string, description: string) =>
    meter.createObservableCounter(name, { unit, description });
  const switches = sum(
    'process.context_switches',
    '{context_switch}',
    'Number of times the process has been context switched.',
  );
  const faults = sum('process.paging.faults', '{fault}', 'Number of page faults the process has made.');
  const operations = sum(
    'process.disk.operations',
    '{operation}',
    'Number of disk operations performed by the process.',
  );
  meter.addBatchObservableCallback(
    (result) => {
      const usage = process.resourceUsage();
      const by = (instrument: Observable, attribute: string, counts: Readonly<Record<string, number>>): void => {
        for (const [name, count] of Object.entries(counts)) result.observe(instrument, count, { [attribute]: name });
      };
      by(switches, 'process.context_switch.type', {
        voluntary: usage.voluntaryContextSwitches,
        involuntary: usage.involuntaryContextSwitches,
      });
      by(faults, 'system.paging.fault.type', { minor: usage.minorPageFault, major: usage.majorPageFault });
      by(operations, 'disk.io.direction', { read: usage.fsRead, write: usage.fsWrite });
    },
    [switches, faults, operations],
  );
}
