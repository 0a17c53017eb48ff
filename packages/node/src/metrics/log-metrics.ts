import type { FinishedLogRecord } from '../logging/log-record.ts';
import type { Warnings } from '../warnings.ts';
import type { CellMeters } from './cell-meter.ts';

/** By the ranges of https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber, of four numbers each. */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * Counts log records as they are emitted: `runtime_log_emissions_total` by `level` and `component`. The component is the part
 * before the first dot of the logger's name (`name` of pino's loggers, else the scope), so that there are few of them.
 */
export function logMetrics(meters: CellMeters, warnings: Warnings): (record: FinishedLogRecord) => void {
  const meter = meters.create({
    scope: '@signalbox/node/log-metrics',
    prefix: '',
    isOn: true,
    warn: (message) => warnings.once(message),
  });
  const emissions = meter.counter(
    'runtime_log_emissions_total',
    { description: 'Log records emitted.', unit: '{record}' },
    (level: string, component: string) => ({ level, component }),
  );
  return ({ severityNumber = 0, attributes, instrumentationScope }) => {
    const level = levels[Math.floor((severityNumber - 1) / 4)] ?? 'unset';
    const scope = instrumentationScope.name.startsWith('@signalbox/node/') ? '' : instrumentationScope.name;
    const name = typeof attributes.name === 'string' ? attributes.name : scope;
    emissions(level, name.split('.', 1)[0] || 'unnamed').add(1);
  };
}
