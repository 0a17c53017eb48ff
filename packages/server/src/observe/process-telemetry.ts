import type { Telemetry } from '../pipeline/telemetry.ts';

/** What the process itself takes, under the Collector's names. */
export function observeProcess(telemetry: Telemetry): void {
  telemetry.gauge('otelcol_process_memory_rss', 'Resident memory in bytes, the embedded engine included', () =>
    process.memoryUsage.rss(),
  );
  telemetry.gauge('otelcol_process_cpu_seconds', 'CPU time of user and system since the start', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  });
  telemetry.gauge('otelcol_process_uptime', 'Seconds since the start', () => process.uptime());
}
