import { type Context, context, type HrTime, trace } from '@opentelemetry/api';
import type { Logger, LoggerOptions, LoggerProvider, LogRecord } from '@opentelemetry/api-logs';
import { timeInputToHrTime } from '@opentelemetry/core';
import { LoggerProvider as OfficialLoggerProvider } from '@opentelemetry/sdk-logs';
import type { Limits } from '../configuration.ts';
import { isValidSpanContext } from '../trace/span-context-validity.ts';
import type { GiveAttributes, LogLine } from './log-line.ts';
import { arePlain, type FinishedLogRecord, type LogScope } from './log-record.ts';

export interface LoggerProviderOptions {
  readonly limits: Pick<Limits, 'attributeCountLimit' | 'attributeValueLengthLimit'>;
  /**
   * Gets each record, to encode or count it before it returns: attributes and body stay the application's. Must not throw.
   * `scope` is the same object for all records of a logger.
   */
  readonly onRecord: (record: FinishedLogRecord, scope: LogScope) => void;
  /**
   * Encodes a line without a record being made of it; where it answers false, `onRecord` gets one. Without it nobody makes do
   * with less than records.
   */
  readonly onLine?: ((line: LogLine, scope: LogScope, give: GiveAttributes) => boolean) | undefined;
  /** Sends what waits. */
  readonly flush: () => Promise<void>;
}

interface ScopeName {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
}

/**
 * The official API's loggers without the official SDK's records: what is emitted goes on as it is, where neither limits nor
 * validation would change it. Everything else (exceptions, long or strange values, scopes with attributes) becomes an
 * official record first, so that its rules hold.
 */
export class SignalboxLoggerProvider implements LoggerProvider {
  readonly #options: LoggerProviderOptions;
  readonly #official: OfficialLoggerProvider;
  /** Of our loggers, some of whose records are official ones. */
  readonly #scopes = new Map<string, LogScope>();
  readonly #loggers = new Map<string, Logger>();

  constructor(options: LoggerProviderOptions) {
    this.#options = options;
    this.#official = new OfficialLoggerProvider({
      logRecordLimits: options.limits,
      processors: [
        {
          onEmit: (record) => options.onRecord(record, this.#scopeOf(record.instrumentationScope)),
          forceFlush: options.flush,
          shutdown: options.flush,
        },
      ],
    });
  }

  getLogger(name: string, version?: string, options: LoggerOptions = {}): Logger {
    const official = this.#official.getLogger(name, version, options);
    // Of no name it makes one, and says so.
    if (options.attributes !== undefined || !name) return official;
    const key = keyOf({ name, version, schemaUrl: options.schemaUrl });
    let logger = this.#loggers.get(key);
    if (logger === undefined) {
      const scope: LogScope = {
        name,
        ...(version !== undefined && { version }),
        ...(options.schemaUrl !== undefined && { schemaUrl: options.schemaUrl }),
      };
      this.#scopes.set(key, scope);
      logger = new SignalboxLogger(scope, official, this.#options);
      this.#loggers.set(key, logger);
    }
    return logger;
  }

  #scopeOf(official: LogScope): LogScope {
    return official.attributes === undefined ? (this.#scopes.get(keyOf(official)) ?? official) : official;
  }

  forceFlush(): Promise<void> {
    return this.#official.forceFlush();
  }

  /** Nothing is taken afterwards. */
  shutdown(): Promise<void> {
    return this.#official.shutdown();
  }
}

function keyOf({ name, version = '', schemaUrl = '' }: ScopeName): string {
  return `${name}\u0000${version}\u0000${schemaUrl}`;
}

/** Made by the provider. */
export class SignalboxLogger implements Logger {
  readonly #scope: LogScope;
  readonly #official: Logger;
  readonly #options: LoggerProviderOptions;
  readonly #maxAttributes: number;

  constructor(scope: LogScope, official: Logger, options: LoggerProviderOptions) {
    this.#scope = scope;
    this.#official = official;
    this.#options = options;
    const { attributeCountLimit, attributeValueLengthLimit } = options.limits;
    // Where values have a limit, all of them are the official SDK's to look at.
    this.#maxAttributes = attributeValueLengthLimit === Number.POSITIVE_INFINITY ? attributeCountLimit : -1;
  }

  emit(record: LogRecord): void {
    const { exception, observedTimestamp, timestamp } = record;
    // Callers without types give null, too.
    const attributes = record.attributes ?? {};
    const active: Context = record.context ?? context.active();
    if ((exception !== undefined && exception !== null) || !arePlain(attributes, this.#maxAttributes)) {
      this.#official.emit(record);
      return;
    }
    if (!this.#official.enabled(record)) return;
    const millis = Date.now();
    const now: HrTime = [Math.floor(millis / 1_000), (millis % 1_000) * 1_000_000];
    const spanContext = trace.getSpanContext(active);
    const finished: FinishedLogRecord = {
      instrumentationScope: this.#scope,
      hrTime: timeOf(timestamp) ?? now,
      hrTimeObserved: timeOf(observedTimestamp) ?? now,
      spanContext: spanContext !== undefined && isValidSpanContext(spanContext) ? spanContext : undefined,
      severityNumber: record.severityNumber,
      severityText: record.severityText,
      body: record.body,
      eventName: record.eventName,
      attributes,
      droppedAttributesCount: 0,
    };
    this.#options.onRecord(finished, this.#scope);
  }

  /** False, and nothing done, where it takes a record: see `emitLine` of emit-line.ts. */
  emitLine(line: LogLine, give: GiveAttributes): boolean {
    const { onLine } = this.#options;
    // Where values have a limit, they are the official SDK's to look at.
    if (onLine === undefined || this.#maxAttributes < 0) return false;
    return !this.#official.enabled(line) || onLine(line, this.#scope, give);
  }

  enabled(options?: Parameters<Logger['enabled']>[0]): boolean {
    return this.#official.enabled(options);
  }
}

/** Undefined for what is no time: logging must not throw for it. */
function timeOf(time: LogRecord['timestamp']): HrTime | undefined {
  const isTime = typeof time === 'number' || time instanceof Date || Array.isArray(time);
  return isTime ? timeInputToHrTime(time) : undefined;
}
