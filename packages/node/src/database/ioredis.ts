import diagnosticsChannel from 'node:diagnostics_channel';
import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import { redisQueryText } from './redis-query-text.ts';

const scope = '@signalbox/node/ioredis';
/** Advised boundaries of `db.client.operation.duration`, in seconds. */
const durationBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** ioredis 6 publishes one such object through a command's or a MULTI's life; `error` appears on it when it fails. */
interface OperationMessage {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly batchMode?: string;
  readonly batchSize?: number;
  readonly database?: number;
  readonly serverAddress?: string;
  readonly serverPort?: number;
  readonly error?: unknown;
}

interface Operation {
  /** Undefined for commands outside any trace, which are measured only. */
  readonly span: Span | undefined;
  readonly context: Context;
  readonly attributes: Attributes;
  /** Reading of `performance.now()`. */
  readonly startTime: number;
}

/**
 * ioredis 6 and later, through its tracing channels. Spans need a parent unless `ioredis.requireParent` is false: health
 * checks and reconnects would otherwise be traces of one span each. Durations are measured for all commands. Commands
 * issued before the connection is ready are sent, and therefore traced, outside of the caller's context.
 */
export const ioredisInstrumentation: Instrumentation = {
  name: 'ioredis',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new OperationRecorder(instrumentation);
    const undo = ['ioredis:command', 'ioredis:batch'].flatMap((name) => {
      const start = diagnosticsChannel.channel(`tracing:${name}:start`);
      return [
        // The commands of a MULTI are children of its span.
        instrumentation.bindChannel(start, (message) => recorder.start(message as OperationMessage)),
        instrumentation.subscribe(`tracing:${name}:asyncEnd`, (message) => recorder.end(message as OperationMessage)),
      ];
    });
    return handleOf(...undo);
  },
};

class OperationRecorder {
  readonly #tracer: Tracer;
  readonly #duration: Histogram;
  readonly #requireParent: boolean;
  readonly #operations = new WeakMap<object, Operation>();

  constructor({ tracerProvider, meterProvider, settings }: InstrumentationContext) {
    this.#tracer = tracerProvider.getTracer(scope, version);
    this.#duration = meterProvider.getMeter(scope, version).createHistogram('db.client.operation.duration', {
      description: 'Duration of database client operations.',
      unit: 's',
      advice: { explicitBucketBoundaries: durationBoundaries },
    });
    this.#requireParent = settings.ioredis.requireParent;
  }

  start(message: OperationMessage): Context {
    const parent = context.active();
    if (isTracingSuppressed(parent)) return parent;
    const attributes = operationAttributes(message);
    const wanted = !this.#requireParent || trace.getSpan(parent) !== undefined;
    const span = wanted ? this.#startSpan(message, attributes, parent) : undefined;
    const operation: Operation = {
      span,
      context: span === undefined ? parent : trace.setSpan(parent, span),
      attributes,
      startTime: performance.now(),
    };
    this.#operations.set(message, operation);
    return operation.context;
  }

  end(message: OperationMessage): void {
    const operation = this.#operations.get(message);
    if (operation === undefined) return;
    this.#operations.delete(message);
    const { span, attributes, startTime } = operation;
    const seconds = (performance.now() - startTime) / 1000;
    const failure = message.error === undefined ? {} : failureAttributes(message.error);
    if (span !== undefined) {
      if (message.error !== undefined) {
        span.setAttributes(failure);
        span.setStatus({ code: SpanStatusCode.ERROR, message: errorMessage(message.error) });
      }
      span.end();
    }
    this.#duration.record(seconds, { ...attributes, ...failure }, operation.context);
  }

  /** Name by https://opentelemetry.io/docs/specs/semconv/db/database-spans/#name: operation and namespace. */
  #startSpan({ command, args, batchSize }: OperationMessage, attributes: Attributes, parent: Context): Span {
    const own: Attributes = { ...attributes };
    if (command !== undefined) own['db.query.text'] = redisQueryText(command, args ?? []);
    // Fewer than two commands are no batch.
    if (batchSize !== undefined && batchSize > 1) own['db.operation.batch.size'] = batchSize;
    const name = [attributes['db.operation.name'], attributes['db.namespace']]
      .filter((part) => part !== undefined)
      .join(' ');
    return this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: own }, parent);
  }
}

function operationAttributes({
  command,
  batchMode,
  database,
  serverAddress,
  serverPort,
}: OperationMessage): Attributes {
  return {
    'db.system.name': 'redis',
    'db.operation.name': (command ?? batchMode ?? '').toUpperCase(),
    ...(database !== undefined && { 'db.namespace': String(database) }),
    ...(serverAddress !== undefined && { 'server.address': serverAddress }),
    ...(serverPort !== undefined && { 'server.port': serverPort }),
  };
}

/** Redis prefixes its errors with an upper-case code (`WRONGTYPE …`); others are the client's own. */
function failureAttributes(error: unknown): Attributes {
  const code = /^[A-Z][A-Z0-9_]+(?= )/.exec(errorMessage(error))?.[0];
  if (code !== undefined) return { 'db.response.status_code': code, 'error.type': code };
  const systemCode: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return { 'error.type': typeof systemCode === 'string' ? systemCode : error instanceof Error ? error.name : '_OTHER' };
}

/** Redis repeats the arguments of a command it does not know; they may be values. */
function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, with args beginning with:.*/s, '');
}
