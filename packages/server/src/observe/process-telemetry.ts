import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { Telemetry } from '../pipeline/telemetry.ts';

/**
 * What the process itself takes, under the Collector's names, and how long V8's garbage collection lasted, which takes part of it and
 * holds up all answers meanwhile (name and types: semantic conventions, V8 JS engine metrics).
 */
export function observeProcess(telemetry: Telemetry): void {
  telemetry.gauge('otelcol_process_memory_rss', 'Resident memory in bytes, the embedded engine included', () =>
    process.memoryUsage.rss(),
  );
  telemetry.gauge('otelcol_process_cpu_seconds', 'CPU time of user and system since the start', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  });
  telemetry.gauge('otelcol_process_uptime', 'Seconds since the start', () => process.uptime());
  const collected = (type: string) =>
    telemetry.histogram('v8js_gc_duration_seconds', 'Time of a garbage collection, by type', GC_SECONDS, {
      v8js_gc_type: type,
    });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The type declarations for Node 20 lack `detail`.
      const { kind } = Reflect.get(entry, 'detail') as { kind: number };
      collected(GC_TYPES.get(kind) ?? 'other').record(entry.duration / 1000);
    }
  }).observe({ entryTypes: ['gc'] });
}

const GC_TYPES = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

const GC_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
