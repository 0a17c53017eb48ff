import { trace } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { type Failure, type Operation, observeCall } from '../surfaces/operation.ts';
import { type Envelope, QueueRecorder, type Settlement } from './queue-surface.ts';

/** What a job is added with; `telemetry` is BullMQ's own place for a trace, stored with the job. */
interface JobOptions {
  readonly jobId?: string;
  readonly telemetry?: { readonly metadata?: string; readonly omitContext?: boolean };
}

interface BulkJob {
  readonly opts?: JobOptions;
}

interface QueueLike {
  readonly name: string;
  readonly opts?: { readonly telemetry?: unknown };
}

interface Job {
  readonly id?: string;
  readonly opts?: JobOptions;
}

/** By throwing these a processor puts a job back on purpose. */
const puttingBack = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError']);

/**
 * BullMQ 5 and 6: `Queue.add` and `addBulk`, and what workers do with a job. The trace travels where BullMQ's own telemetry
 * option puts it, in the same form; a queue or worker that has that option is left to it.
 */
export const bullmqInstrumentation: Instrumentation = {
  name: 'bullmq',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new QueueRecorder(instrumentation);
    const versions = { from: '5', below: '7' };
    // Its ES modules are for bundlers: Node finds the CommonJS ones, under `import` too.
    const classes = (name: string) => [`dist/cjs/classes/${name}.js`];
    return handleOf(
      onModule<{ Queue: { prototype: object } }>(
        'bullmq',
        { versions, files: classes('queue') },
        ({ Queue }, { wrap }) => {
          const queue = Queue.prototype as Record<'add' | 'addBulk', AnyFunction>;
          wrap(queue, 'add', (add) => observeAdd(instrumentation, recorder, add));
          wrap(queue, 'addBulk', (addBulk) => observeAddBulk(instrumentation, recorder, addBulk));
          return undefined;
        },
      ),
      onModule<{ Worker: { prototype: object } }>(
        'bullmq',
        { versions, files: classes('worker') },
        ({ Worker }, { wrap }) => {
          const worker = Worker.prototype as Record<'callProcessJob', AnyFunction>;
          wrap(worker, 'callProcessJob', (call) => observeProcess(instrumentation, recorder, call));
          return undefined;
        },
      ),
    );
  },
};

function observeAdd({ protect }: InstrumentationContext, recorder: QueueRecorder, add: AnyFunction): AnyFunction {
  const begin = protect<[QueueLike, unknown[]], Operation | undefined>(
    (queue, args) => {
      const options = args[2] as JobOptions | undefined;
      const headers = {};
      const operation = recorder.publish(identityOf(queue), () => [{ id: options?.jobId, headers }]);
      args[2] = withTrace(options, headers);
      return operation;
    },
    () => undefined,
  );
  return function (...args) {
    const queue = this as QueueLike;
    const operation = queue.opts?.telemetry === undefined ? begin(queue, args) : undefined;
    if (operation === undefined) return Reflect.apply(add, this, args);
    return observeCall(operation, async () => {
      const job = (await Reflect.apply(add, this, args)) as Job;
      if (job?.id !== undefined) trace.getSpan(operation.context)?.setAttribute('messaging.message.id', job.id);
      return job;
    });
  };
}

function observeAddBulk(
  { protect }: InstrumentationContext,
  recorder: QueueRecorder,
  addBulk: AnyFunction,
): AnyFunction {
  const begin = protect<[QueueLike, unknown[]], Operation | undefined>(
    (queue, args) => {
      const jobs = args[0] as readonly BulkJob[];
      const envelopes: Envelope[] = jobs.map(({ opts }) => ({ id: opts?.jobId, headers: {} }));
      const operation = recorder.publish(identityOf(queue), () => envelopes);
      args[0] = jobs.map((job, index) => ({ ...job, opts: withTrace(job.opts, envelopes[index]?.headers ?? {}) }));
      return operation;
    },
    () => undefined,
  );
  return function (...args) {
    const queue = this as QueueLike;
    const operation = queue.opts?.telemetry === undefined ? begin(queue, args) : undefined;
    return observeCall(operation, () => Reflect.apply(addBulk, this, args));
  };
}

function observeProcess({ protect }: InstrumentationContext, recorder: QueueRecorder, call: AnyFunction): AnyFunction {
  const begin = protect<[QueueLike, Job], Operation | undefined>(
    (worker, job) => {
      const settled: { settlement: Settlement | undefined; reason: Failure | undefined } = {
        settlement: undefined,
        reason: undefined,
      };
      const envelope = { id: job.id, headers: traceOf(job.opts) };
      const operation = recorder.process(identityOf(worker), () => [envelope], settled, false);
      if (operation === undefined) return undefined;
      const end = (failure?: Failure): void => {
        const isPutBack = failure?.error instanceof Error && puttingBack.has(failure.error.name);
        if (isPutBack) settled.settlement = 'nack';
        operation.end(isPutBack ? undefined : failure);
      };
      return { context: operation.context, end };
    },
    () => undefined,
  );
  return function (...args) {
    const worker = this as QueueLike;
    const operation = worker.opts?.telemetry === undefined ? begin(worker, args[0] as Job) : undefined;
    return observeCall(operation, () => Reflect.apply(call, this, args));
  };
}

function identityOf({ name }: QueueLike) {
  return { name, system: 'bullmq' };
}

/** What the application has put there itself stays. */
function withTrace(options: JobOptions | undefined, headers: object): JobOptions | undefined {
  const isTaken = options?.telemetry !== undefined || Object.keys(headers).length === 0;
  return isTaken ? options : { ...options, telemetry: { metadata: JSON.stringify(headers) } };
}

/** A job may come from anybody who can write to Redis. */
function traceOf(options: JobOptions | undefined): object | undefined {
  const metadata = options?.telemetry?.metadata;
  if (typeof metadata !== 'string' || metadata.length > maxMetadata) return undefined;
  try {
    const headers: unknown = JSON.parse(metadata);
    return typeof headers === 'object' && headers !== null ? headers : undefined;
  } catch {
    // Not of our making, so no trace.
    return undefined;
  }
}

/** Characters: baggage may have 8,192, a trace some hundreds. */
const maxMetadata = 16_384;
