import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Histogram, Meter } from '@opentelemetry/api';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';

export const runtimeScope = '@signalbox/node/runtime';
const delayResolutionMillis = 10;
/** Kinds of `PerformanceNodeEntry` (`perf_hooks.constants.NODE_PERFORMANCE_GC_*`). */
const gcTypes: Readonly<Record<number, string>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };

/** Event loop, garbage collection and heap (https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/). */
export const runtimeInstrumentation: Instrumentation = {
  name: 'runtime',
  enable({ meterProvider, postpone }: InstrumentationContext): InstrumentationHandle {
    const meter = meterProvider.getMeter(runtimeScope, version);
    // What is measured is measured from now on; instruments to read it by can wait.
    const delays = monitorEventLoopDelay({ resolution: delayResolutionMillis });
    delays.enable();
    const utilization = performance.eventLoopUtilization();
    const stopCounting = observeGarbageCollection(meter);
    postpone(() => {
      observeDelay(meter, delays);
      observeUtilization(meter, utilization);
      observeHeap(meter);
    });
    return handleOf(stopCounting, () => void delays.disable());
  },
};

/** `histogram` measures the delay of its own timer, which fires every `delayResolutionMillis`: that interval is not delay. */
function observeDelay(meter: Meter, histogram: IntervalHistogram): void {
  const gauge = (statistic: string, what: string) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${statistic}`, {
      description: `Event loop ${what} delay.`,
      unit: 's',
    });
  const gauges = {
    min: gauge('min', 'minimum'),
    max: gauge('max', 'maximum'),
    mean: gauge('mean', 'mean'),
    stddev: gauge('stddev', 'standard deviation'),
    p50: gauge('p50', '50 percentile'),
    p90: gauge('p90', '90 percentile'),
    p99: gauge('p99', '99 percentile'),
  };
  const delay = (nanos: number): number => Math.max(0, nanos / 1e9 - delayResolutionMillis / 1000);
  meter.addBatchObservableCallback((result) => {
    if (histogram.count === 0) return;
    result.observe(gauges.min, delay(histogram.min));
    result.observe(gauges.max, delay(histogram.max));
    result.observe(gauges.mean, delay(histogram.mean));
    result.observe(gauges.stddev, histogram.stddev / 1e9);
    result.observe(gauges.p50, delay(histogram.percentile(50)));
    result.observe(gauges.p90, delay(histogram.percentile(90)));
    result.observe(gauges.p99, delay(histogram.percentile(99)));
    histogram.reset();
  }, Object.values(gauges));
}

function observeUtilization(meter: Meter, first: EventLoopUtilization): void {
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', {
    description: 'Event loop utilization.',
    unit: '1',
  });
  const time = meter.createObservableCounter('nodejs.eventloop.time', {
    description: 'Cumulative duration of time the event loop has been in each state.',
    unit: 's',
  });
  let last = first;
  meter.addBatchObservableCallback(
    (result) => {
      const now = performance.eventLoopUtilization();
      result.observe(utilization, performance.eventLoopUtilization(now, last).utilization);
      result.observe(time, now.active / 1000, { 'nodejs.eventloop.state': 'active' });
      result.observe(time, now.idle / 1000, { 'nodejs.eventloop.state': 'idle' });
      last = now;
    },
    [utilization, time],
  );
}

function observeHeap(meter: Meter): void {
  const instrument = (name: string, description: string) =>
    meter.createObservableUpDownCounter(`v8js.memory.heap.${name}`, { description, unit: 'By' });
  const size = instrument('space.size', 'Total heap memory size pre-allocated.');
  const used = instrument('used', 'Heap memory size allocated.');
  const available = instrument('space.available_size', 'Heap space available size.');
  const physical = instrument('space.physical_size', 'Committed size of a heap space.');
  meter.addBatchObservableCallback(
    (result) => {
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name };
        result.observe(size, space.space_size, attributes);
        result.observe(used, space.space_used_size, attributes);
        result.observe(available, space.space_available_size, attributes);
        result.observe(physical, space.physical_space_size, attributes);
      }
    },
    [size, used, available, physical],
  );
}

function observeGarbageCollection(meter: Meter): () => void {
  let duration: Histogram | undefined;
  const observer = new PerformanceObserver((list) => {
    duration ??= meter.createHistogram('v8js.gc.duration', {
      description: 'Garbage collection duration.',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.01, 0.1, 1, 10] },
    });
    for (const entry of list.getEntries()) {
      // The type declarations for Node 20 lack `detail`.
      const detail: unknown = Reflect.get(entry, 'detail');
      const kind: unknown = typeof detail === 'object' && detail !== null ? Reflect.get(detail, 'kind') : undefined;
      const type = typeof kind === 'number' ? gcTypes[kind] : undefined;
      if (type !== undefined) duration.record(entry.duration / 1000, { 'v8js.gc.type': type });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
