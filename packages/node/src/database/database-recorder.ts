import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { type OpenCall, OpenCalls } from './open-calls.ts';

/** Advised boundaries of `db.client.operation.duration`, in seconds. */
const durationBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** Where operations go, in the words of the conventions. */
export interface DatabaseTarget {
  /** `db.system.name`. */
  readonly system: string;
  readonly namespace?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** Only the target is looked at where nothing is recorded: the others may take work (getters). */
export interface DatabaseCall {
  readonly target: DatabaseTarget;
  /** `db.operation.name`; undefined where it is not known. */
  readonly operation: string | undefined;
  readonly collection?: string | undefined;
  /** What the span is called; operation and namespace unless given. */
  readonly name?: string | undefined;
  /** Further attributes, of the span alone. */
  readonly attributes?: () => Attributes;
}

/** Why an operation failed. Texts must not hold values. */
export interface DatabaseFailure {
  /** `db.response.status_code`: what the server calls it. */
  readonly statusCode?: string | undefined;
  readonly type: string;
  readonly message: string;
}

export interface DatabaseOutcome {
  readonly failure?: DatabaseFailure | undefined;
  /** Asked only when the span is recorded. */
  readonly attributes?: () => Attributes;
}

export interface DatabaseOperation {
  /** Undefined where the operation is measured only. */
  readonly span: Span | undefined;
  /** What the operation's own work runs in. */
  readonly context: Context;
  /** What was active when the operation began: callbacks of the application go back to it. */
  readonly parent: Context;
  /** Only the first call counts. */
  end(outcome?: DatabaseOutcome): void;
  /** Where the process ends before the operation: `end`, unless somebody has more to end. */
  cutOff: (outcome: DatabaseOutcome) => void;
}

interface OpenOperation extends DatabaseOperation, OpenCall<OpenOperation> {}

/** Of what is still under way when the process ends. */
const processExit: DatabaseOutcome = {
  failure: { type: 'process_exit', message: 'the process ended before it was done' },
};

type DurationKeys = [
  system: string,
  operation: string | undefined,
  namespace: string | undefined,
  collection: string | undefined,
  address: string | undefined,
  port: number | undefined,
  statusCode: string | undefined,
  errorType: string | undefined,
];

/**
 * Spans and durations of database clients (https://opentelemetry.io/docs/specs/semconv/db/database-spans/). Spans of
 * commands need a parent where `requireParent` says so; durations are measured whatever is traced.
 */
export class DatabaseRecorder {
  readonly #instrumentation: InstrumentationContext;
  readonly #requireParent: boolean;
  readonly #duration: CellLookup<DurationKeys, HistogramCell>;
  /** Those with a span that is recorded: they are in a trace, whose reader would miss them. */
  readonly #open = new OpenCalls<OpenOperation>();

  constructor(instrumentation: InstrumentationContext, { requireParent }: { readonly requireParent: boolean }) {
    this.#instrumentation = instrumentation;
    this.#requireParent = requireParent;
    instrumentation.onExit(() => {
      for (const operation of this.#open) operation.cutOff(processExit);
    });
    this.#duration = instrumentation.cells.histogram(
      'db.client.operation.duration',
      { description: 'Duration of database client operations.', unit: 's', boundaries: durationBoundaries },
      (system, operation, namespace, collection, address, port, statusCode, errorType) => ({
        'db.system.name': system,
        ...(operation !== undefined && { 'db.operation.name': operation }),
        ...(namespace !== undefined && { 'db.namespace': namespace }),
        ...(collection !== undefined && { 'db.collection.name': collection }),
        ...(address !== undefined && { 'server.address': address }),
        ...(port !== undefined && { 'server.port': port }),
        ...(statusCode !== undefined && { 'db.response.status_code': statusCode }),
        ...(errorType !== undefined && { 'error.type': errorType }),
      }),
    );
  }

  /** Undefined when tracing is suppressed: what the SDK does for itself is no operation of the application's. */
  begin(call: DatabaseCall): DatabaseOperation | undefined {
    const parent = context.active();
    if (isTracingSuppressed(parent)) return undefined;
    const span = this.#startSpan(call, parent);
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const startTime = performance.now();
    let isOver = false;
    const end = ({ failure, attributes }: DatabaseOutcome = {}): void => {
      if (isOver) return;
      isOver = true;
      this.#open.delete(operation);
      const { system, namespace, address, port } = call.target;
      if (this.#instrumentation.wants.metrics) {
        const seconds = (performance.now() - startTime) / 1000;
        this.#duration(
          system,
          call.operation,
          namespace,
          call.collection,
          address,
          port,
          failure?.statusCode,
          failure?.type,
        ).record(seconds, inside);
      }
      if (span === undefined) return;
      if (span.isRecording()) {
        if (attributes !== undefined) span.setAttributes(attributes());
        if (failure !== undefined) recordFailure(span, failure);
      }
      span.end();
    };
    const operation: OpenOperation = {
      span,
      context: inside,
      parent,
      end,
      cutOff: end,
      previous: undefined,
      next: undefined,
      isOpen: false,
    };
    if (span?.isRecording() === true) this.#open.add(operation);
    return operation;
  }

  #startSpan(call: DatabaseCall, parent: Context): Span | undefined {
    if (this.#requireParent && trace.getSpan(parent) === undefined) return undefined;
    return this.#instrumentation.startSpan({
      name: () => call.name ?? defaultName(call),
      kind: SpanKind.CLIENT,
      parent,
      attributes: () => attributesOf(call),
    });
  }
}

function attributesOf(call: DatabaseCall): Attributes {
  const { target, operation, collection } = call;
  // Undefined where there is none: spreading each into an object costs more than making the span.
  const attributes: Attributes = {
    'db.system.name': target.system,
    'db.operation.name': operation,
    'db.namespace': target.namespace,
    'db.collection.name': collection,
    'server.address': target.address,
    'server.port': target.port,
  };
  return call.attributes === undefined ? attributes : Object.assign(attributes, call.attributes());
}

/** https://opentelemetry.io/docs/specs/semconv/db/database-spans/#name */
function defaultName({ operation, target }: DatabaseCall): string {
  if (operation === undefined) return target.namespace ?? target.address ?? target.system;
  return target.namespace === undefined ? operation : `${operation} ${target.namespace}`;
}

function recordFailure(span: Span, { statusCode, type, message }: DatabaseFailure): void {
  span.setAttribute('error.type', type);
  if (statusCode !== undefined) span.setAttribute('db.response.status_code', statusCode);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
