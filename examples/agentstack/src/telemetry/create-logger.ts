import { type Logger, pino } from 'pino';

/** JSON lines with the platform's field names; trace and span ids come from the SDK. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['authorization', '*.authorization', 'headers.authorization', 'apiKey', '*.apiKey'],
  });
}
