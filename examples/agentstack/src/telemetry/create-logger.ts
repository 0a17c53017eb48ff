import { pinoPreset } from '@signalbox/node';
import { type Logger, pino } from 'pino';

/** JSON lines with the platform's field names, and the place that logged; trace and span ids come from the SDK. */
export function createLogger(level: string): Logger {
  return pino({
    ...pinoPreset(),
    level,
    redact: ['authorization', '*.authorization', 'headers.authorization', 'apiKey', '*.apiKey'],
  });
}
