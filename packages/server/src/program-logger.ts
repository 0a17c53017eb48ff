import type { LogFields, Logger } from './pipeline/logger.ts';
import { SignalboxError } from './pipeline/signalbox-error.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LEVELS)[number];

export interface ProgramLoggerOptions {
  /** What is less is left out. */
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Takes a line without its end. Default: standard error. */
  readonly write?: (line: string) => void;
  readonly fields?: LogFields;
}

/** Says what happens to the program, a line each: `time level message key=value …`, or a JSON object. */
export function programLogger(options: ProgramLoggerOptions): Logger {
  const { format, write = (line) => void process.stderr.write(`${line}\n`), fields: ownFields = {} } = options;
  const least = LEVELS.indexOf(options.level);
  const say = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < least) return;
    const time = new Date().toISOString();
    const all = Object.entries({ ...ownFields, ...fields }).filter(([, value]) => value !== undefined);
    if (format === 'json') {
      write(JSON.stringify({ time, level, message, ...Object.fromEntries(all) }));
    } else {
      const pairs = all.map(([key, value]) => ` ${key}=${JSON.stringify(value)}`).join('');
      write(`${time} ${level.padEnd(5)} ${message}${pairs}`);
    }
  };
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, error, fields) => say('error', message, { ...fields, ...errorFields(error) }),
    with: (fields) => programLogger({ ...options, fields: { ...ownFields, ...fields } }),
  };
}

/** What is only an unlucky world needs no stack; a bug of ours does. */
function errorFields(error: unknown): LogFields {
  if (error === undefined) return {};
  if (error instanceof SignalboxError && error.code !== 'internal') return { error: error.message };
  const cause = error instanceof SignalboxError ? (error.cause ?? error) : error;
  return cause instanceof Error ? { error: cause.message, stack: cause.stack } : { error: String(cause) };
}
