import type { AnyValue, AnyValueMap, Logger } from '@opentelemetry/api-logs';
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

class CollectedAttributes implements LineAttributes {
  readonly #backwards = new Map<string, AnyValue>();

  add(name: string, value: AnyValue): void {
    if (!this.#backwards.has(name)) this.#backwards.set(name, value);
  }

  inOrder(): AnyValueMap {
    return Object.fromEntries([...this.#backwards].reverse());
  }
}
