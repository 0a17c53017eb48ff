import { SeverityNumber } from '@opentelemetry/api-logs';

/** Levels that are 10 apart (pino, bunyan) as severities, 4 apart; what lies between keeps its order within the range. */
export function severityOfTens(level: number): SeverityNumber {
  if (level < 10) return SeverityNumber.TRACE;
  if (level >= 60) return SeverityNumber.FATAL;
  const range = Math.floor(level / 10) - 1;
  return range * 4 + 1 + Math.floor((level % 10) / 2.5);
}

/**
 * Names of levels, those of syslog as https://opentelemetry.io/docs/specs/otel/logs/data-model/#appendix-b-severitynumber-example-mappings
 * has them.
 */
const severities: Readonly<Record<string, SeverityNumber>> = {
  silly: SeverityNumber.TRACE,
  trace: SeverityNumber.TRACE,
  verbose: SeverityNumber.DEBUG,
  debug: SeverityNumber.DEBUG,
  http: SeverityNumber.INFO,
  info: SeverityNumber.INFO,
  notice: SeverityNumber.INFO2,
  warn: SeverityNumber.WARN,
  warning: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  crit: SeverityNumber.ERROR2,
  alert: SeverityNumber.ERROR3,
  emerg: SeverityNumber.FATAL,
  fatal: SeverityNumber.FATAL,
};

/** Undefined for a name that nobody has agreed on. */
export function severityOfName(name: string): SeverityNumber | undefined {
  return Object.hasOwn(severities, name) ? severities[name] : undefined;
}
