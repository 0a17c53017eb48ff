import type { AnyValue, AnyValueMap, Logger } from '@opentelemetry/api-logs';
import { toAnyValue } from './any-value.ts';
import type { GiveAttributes, LineAttributes, LogLine } from './log-line.ts';
import { SignalboxLogger } from './logger-provider.ts';
import { withoutOwnIds } from './trace-ids.ts';

/**
 * Emits a line. A logger of ours encodes it while its attributes are handed out, and nothing is made that is thrown away
 * afterwards; for others, and for lines that have to be looked at as a whole, it becomes a record of the API.
 */
export function emitLine(logger: Logger, line: LogLine, give: GiveAttributes): void {
  if (logger instanceof SignalboxLogger && logger.emitLine(line, give)) return;
  const { time, severityNumber, severityText, body, context } = line;
  const collected = new CollectedAttributes();
  give(collected);
  logger.emit({
    timestamp: time,
    observedTimestamp: time,
    severityNumber,
    severityText,
    ...(body !== undefined && { body }),
    attributes: withoutOwnIds(collected.inOrder(), context),
    context,
  });
}

/**
 * Whether what the logger is given goes anywhere. Without logs among the signals it does only if the application has a provider of its
 * own, and nothing should be made for it otherwise.
 */
export function isHeard(logger: Logger): boolean {
  if (logger instanceof SignalboxLogger) return true;
  try {
    return logger.enabled();
  } catch {
    // Loggers of older SDKs can not be asked.
    return true;
  }
}

class CollectedAttributes implements LineAttributes {
  readonly #backwards = new Map<string, AnyValue>();

  add(name: string, value: AnyValue): void {
    if (!this.#backwards.has(name)) this.#backwards.set(name, value);
  }

  addLogged(name: string, logged: unknown): void {
    const value = toAnyValue(logged);
    if (value !== undefined) this.add(name, value);
  }

  inOrder(): AnyValueMap {
    return Object.fromEntries([...this.#backwards].reverse());
  }
}
