import type { Severity } from '@signalbox/api-contract';

/** OpenTelemetry's ranges of severity numbers, four numbers each (logs data model, "Field: SeverityNumber"). */
export const severities: readonly Severity[] = ['UNSPECIFIED', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Lowest and highest number of a range. Numbers above 24 are not defined: they count as FATAL, so that none is lost. */
export function severityRange(severity: Severity): readonly [number, number] {
  const index = severities.indexOf(severity);
  if (index <= 0) return [0, 0];
  return [index * 4 - 3, severity === 'FATAL' ? 255 : index * 4];
}

export function severityOf(number: number): Severity {
  return number === 0 ? 'UNSPECIFIED' : (severities[Math.min(6, Math.ceil(number / 4))] as Severity);
}
