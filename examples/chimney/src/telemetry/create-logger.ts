import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * JSON lines on standard output, level as a word. The trace and span id come from the SDK, which adds them to every line written inside
 * a span and sends the record on over OTLP.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label.toUpperCase() }) },
    // Nothing of ours logs headers; should someone start to, the token stays out.
    redact: ['authorization', '*.authorization', 'headers.authorization'],
  };
  return destination ? pino(options, destination) : pino(options);
}
