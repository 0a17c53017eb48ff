import { type Attributes, type Context, context, type Span, SpanKind } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { type Ending, endWith, isCompleted } from './ending.ts';

/** A process or thread that is about to be started. */
export interface WorkerDescription {
  readonly type: 'process' | 'thread' | 'cluster';
  /** The program or the file of code; `[eval]` for code given as text. */
  readonly file: string;
}

/** A process or thread that has been started, or has failed to. */
export interface RunningWorker {
  /** To be carried into it. */
  readonly context: Context;
  /** To be called when the attempt to start it is over, with what identifies it. */
  started(identity: Attributes): void;
  /** To be called once, when it is gone or could not be started. */
  terminated(ending: Ending): void;
}

/**
 * Spans: `worker.started`, whose context the worker is given in `TRACEPARENT`, and `worker.terminated`, its child, which lasts
 * as long as the worker has. Metrics: `process_started_total`, `process_terminated_total` by `result` (`completed`, `error`),
 * `process_active`.
 */
export class WorkerRecorder {
  /** Undefined where the worker shall be left alone. */
  readonly start: (worker: WorkerDescription) => RunningWorker | undefined;
  /** A span for as long as a child that the application starts, under a name of its choice. */
  readonly startStage: (name: string, attributes: Attributes) => Span | undefined;
  readonly protect: InstrumentationContext['protect'];
  readonly #instrumentation: InstrumentationContext;
  readonly #started: CellLookup<[], SumCell>;
  readonly #terminated: CellLookup<[result: 'completed' | 'error'], SumCell>;
  readonly #active: CellLookup<[], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    const { cells, protect, startSpan } = instrumentation;
    this.#instrumentation = instrumentation;
    this.protect = protect;
    this.start = protect<[WorkerDescription], RunningWorker | undefined>(
      (worker) => this.#start(worker),
      () => undefined,
    );
    this.startStage = protect<[string, Attributes], Span | undefined>(
      (name, attributes) => startSpan({ name, kind: SpanKind.INTERNAL, attributes: () => ({ ...attributes }) }),
      () => undefined,
    );
    const options = { unit: '{process}', prefixed: true };
    this.#started = cells.counter(
      'process_started_total',
      { ...options, description: 'Processes and threads that were started.' },
      () => ({}),
    );
    this.#terminated = cells.counter(
      'process_terminated_total',
      { ...options, description: 'Processes and threads that have ended.' },
      (result) => ({ result }),
    );
    this.#active = cells.upDownCounter(
      'process_active',
      { ...options, description: 'Processes and threads that run.' },
      () => ({}),
    );
  }

  #start(worker: WorkerDescription): RunningWorker | undefined {
    const { startSpan, protect, settings } = this.#instrumentation;
    const name = settings.processes.nameOf(worker);
    if (name === undefined) return undefined;
    const fileAttribute = worker.type === 'thread' ? 'worker.file' : 'process.executable.name';
    const attributes: Attributes = { 'worker.type': worker.type, [fileAttribute]: worker.file };
    const parent = context.active();
    const startTime = performance.now();
    const first = startSpan({
      name: `${name}.started`,
      kind: SpanKind.INTERNAL,
      parent,
      attributes: () => ({ ...attributes, 'lifecycle.event': 'started' }),
    });
    const inside = first === undefined ? parent : contextWithSpan(parent, first);
    this.#started().add(1);
    this.#active().add(1);
    const started = (identity: Attributes): void => {
      Object.assign(attributes, identity);
      first?.setAttributes(identity);
      first?.end();
    };
    const terminated = (ending: Ending): void => {
      const result = isCompleted(ending) ? 'completed' : 'error';
      this.#active().add(-1);
      this.#terminated(result).add(1);
      const last = startSpan({
        name: `${name}.terminated`,
        kind: SpanKind.INTERNAL,
        parent: inside,
        startTime,
        attributes: () => ({ ...attributes, 'lifecycle.event': 'terminated', result }),
      });
      if (last !== undefined) endWith(last, ending);
    };
    return { context: inside, started: protect(started, () => {}), terminated: protect(terminated, () => {}) };
  }
}
