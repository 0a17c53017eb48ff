import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Attributes, context, isSpanContextValid, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { observeCall } from '../surfaces/operation.ts';
import { propagatorNames } from './propagator-names.ts';
import type { TemporalHeaders } from './temporal-header.ts';
import type { TemporalMetricsBuffer } from './temporal-metrics.ts';
import { type ActivityInfo, type NexusOperationInfo, temporalSurface } from './temporal-surface.ts';
import { runIdKey, sinkName, updateIdKey, type WorkflowSpanData, workflowIdKey } from './workflow-span.ts';

/**
 * What clients, workers and bundles of workflows take as a plugin; with versions of Temporal's SDK that know no plugins the
 * functions can be applied to the options by hand.
 */
export interface TemporalPlugin {
  readonly name: string;
  /** Options of a `Client`. */
  configureClient<Options extends object>(options: Options): Options;
  /** Options of `Worker.create`. */
  configureWorker<Options extends object>(options: Options): Options;
  /** Options of `Worker.runReplayHistory` and its like. */
  configureReplayWorker<Options extends object>(options: Options): Options;
  /** Options of `bundleWorkflowCode`. */
  configureBundler<Options extends object>(options: Options): Options;
}

/** What `temporalMetrics` needs of the class of that name. */
export type TemporalMetricsBufferClass<Buffer extends TemporalMetricsBuffer> = new (options: {
  maxBufferSize?: number;
  useSecondsForDurations?: boolean;
}) => Buffer;

/**
 * Traces what clients ask Temporal for, workflows and activities, in one trace. To be called after `start`, and given to
 * `Client` and `Worker.create` as one of their `plugins`. Where telemetry does not run, it leaves them as they are.
 * @throws Error when workflows could not be traced: their part is not in the installation, or they could not read what the
 * global propagator writes.
 */
export function temporalPlugin(): TemporalPlugin {
  const module = temporalSurface.recorder() && workflowModule();
  const configureWorker = <Options extends object>(options: Options): Options =>
    module === undefined ? options : observeWorker(options, module);
  return {
    name: 'signalbox',
    configureClient: (options) => (module === undefined ? options : observeClient(options)),
    configureWorker,
    configureReplayWorker: configureWorker,
    configureBundler(options) {
      const given = Reflect.get(options, 'workflowInterceptorModules');
      return module === undefined ? options : { ...options, workflowInterceptorModules: withOne(given, module) };
    },
  };
}

/**
 * Brings the metrics of Temporal's SDK into those of this process: what `Runtime.install` takes as `telemetryOptions.metrics`.
 * To be called after `start`, with the class `MetricsBuffer` of `@temporalio/worker`. Undefined where metrics are off.
 * @throws TypeError when that is no such class: the SDK is older than 1.15.
 */
export function temporalMetrics<Buffer extends TemporalMetricsBuffer>(
  MetricsBuffer: TemporalMetricsBufferClass<Buffer>,
): { buffer: Buffer } | undefined {
  if (typeof MetricsBuffer !== 'function' || typeof MetricsBuffer.prototype?.retrieveUpdates !== 'function')
    throw new TypeError('temporalMetrics needs the class MetricsBuffer of @temporalio/worker, which has it since 1.15');
  const metrics = temporalSurface.recorder()?.metrics;
  if (metrics === undefined) return undefined;
  const buffer = new MetricsBuffer({ maxBufferSize: 100_000, useSecondsForDurations: true });
  metrics.follow(buffer);
  return { buffer };
}

/** Where the worker's bundler finds the part that runs in the sandbox, and what it shall do there. */
function workflowModule(): string {
  const names = propagatorNames(propagation.fields());
  const spans = temporalSurface.recorder()?.wantedSpans() ?? 'none';
  const candidates = ['./temporal-workflow.cjs', '../../dist/temporal-workflow.cjs'];
  const path = candidates.map((name) => fileURLToPath(new URL(name, import.meta.url))).find((each) => existsSync(each));
  if (path === undefined)
    throw new Error(
      'the part of @signalbox/node that runs in workflows, temporal-workflow.cjs, is not where the rest is: an application that is bundled must leave @signalbox/node outside of its bundle',
    );
  return `${path}?propagators=${names.join(',')}&spans=${spans}`;
}

interface Interceptors {
  readonly client?: { readonly workflow?: unknown; readonly schedule?: unknown };
  readonly workflow?: unknown;
  readonly schedule?: unknown;
  readonly activity?: unknown;
  readonly nexus?: unknown;
  readonly workflowModules?: unknown;
}

function observeClient<Options extends object>(options: Options): Options {
  const interceptors = (Reflect.get(options, 'interceptors') ?? {}) as Interceptors;
  return { ...options, interceptors: withClientInterceptors(interceptors) };
}

function observeWorker<Options extends object>(options: Options, module: string): Options {
  const interceptors = (Reflect.get(options, 'interceptors') ?? {}) as Interceptors;
  const sinks = (Reflect.get(options, 'sinks') ?? {}) as object;
  return {
    ...options,
    interceptors: {
      ...interceptors,
      client: withClientInterceptors(interceptors.client ?? {}),
      activity: withOne(interceptors.activity, activityInterceptors),
      nexus: withOne(interceptors.nexus, nexusInterceptors),
      workflowModules: withOne(interceptors.workflowModules, module),
    },
    sinks: { ...sinks, [sinkName]: workflowSink },
  };
}

function withClientInterceptors(interceptors: { readonly workflow?: unknown; readonly schedule?: unknown }) {
  // An object in the place of the list is the older form, with factories for handles.
  if (interceptors.workflow !== undefined && !Array.isArray(interceptors.workflow)) return interceptors;
  return {
    ...interceptors,
    workflow: withOne(interceptors.workflow, workflowClientInterceptor),
    schedule: withOne(interceptors.schedule, scheduleClientInterceptor),
  };
}

/** Once only: client and connection may have been given the same plugin. */
function withOne(list: unknown, one: unknown): unknown[] {
  const given: unknown[] = Array.isArray(list) ? list : [];
  return given.includes(one) ? given : [...given, one];
}

/** An input of a client's interceptor. Fields are those that some of them have. */
interface ClientInput {
  readonly headers?: TemporalHeaders;
  readonly workflowStartHeaders?: TemporalHeaders;
  readonly updateHeaders?: TemporalHeaders;
  readonly workflowType?: string;
  readonly signalName?: string;
  readonly queryType?: string;
  readonly updateName?: string;
  readonly workflowExecution?: { readonly workflowId?: string; readonly runId?: string };
  readonly workflowStartOptions?: { readonly workflowId?: string };
  readonly options?: { readonly workflowId?: string; readonly updateId?: string; readonly scheduleId?: string };
  readonly updateOptions?: { readonly updateId?: string };
}

type Next = (input: ClientInput) => Promise<unknown>;

/** One function of a client's interceptors: a span around what the client asks for, whose context goes along. */
function calling(nameOf: (input: ClientInput) => string, runIdOf: (output: unknown) => unknown = () => undefined) {
  return (input: ClientInput, next: Next): Promise<unknown> => {
    const recorder = temporalSurface.recorder();
    const operation = recorder?.call(nameOf(input), () => attributesOf(input));
    if (recorder === undefined || operation === undefined) return next(input);
    return observeCall(operation, async () => {
      const carrying = { ...input };
      for (const field of ['headers', 'workflowStartHeaders', 'updateHeaders'] as const) {
        const headers = input[field];
        if (headers !== undefined) carrying[field] = recorder.inject(headers);
      }
      const output = await next(carrying);
      const span = trace.getSpan(operation.context);
      const runId = runIdOf(output);
      if (typeof runId === 'string') span?.setAttribute(runIdKey, runId);
      const refusal = refusalOf(output);
      if (refusal !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: refusal });
      return output;
    });
  };
}

function attributesOf(input: ClientInput): Attributes {
  const workflowId =
    input.workflowExecution?.workflowId ?? input.options?.workflowId ?? input.workflowStartOptions?.workflowId;
  const runId = input.workflowExecution?.runId;
  const updateId = input.options?.updateId ?? input.updateOptions?.updateId;
  return {
    ...(workflowId !== undefined && { [workflowIdKey]: workflowId }),
    ...(runId !== undefined && runId !== '' && { [runIdKey]: runId }),
    ...(updateId !== undefined && { [updateIdKey]: updateId }),
  };
}

/** Why an update failed, which is an answer like any other as long as nobody asks for its result. */
function refusalOf(output: unknown): string | undefined {
  const failure = field('failure')(field('outcome')(output) ?? field('updateOutcome')(output));
  const message = field('message')(failure);
  return failure === undefined || failure === null ? undefined : String(message ?? 'the update failed');
}

const field = (name: string) => (output: unknown) =>
  typeof output === 'object' && output !== null ? Reflect.get(output, name) : undefined;

const workflowClientInterceptor = {
  start: calling(
    ({ workflowType }) => `StartWorkflow:${workflowType}`,
    (runId) => runId,
  ),
  startWithDetails: calling(({ workflowType }) => `StartWorkflow:${workflowType}`, field('runId')),
  signal: calling(({ signalName }) => `SignalWorkflow:${signalName}`),
  signalWithStart: calling(
    ({ workflowType }) => `SignalWithStartWorkflow:${workflowType}`,
    (runId) => runId,
  ),
  startUpdate: calling(({ updateName }) => `StartWorkflowUpdate:${updateName}`, field('workflowRunId')),
  startUpdateWithStart: calling(
    ({ updateName }) => `UpdateWithStartWorkflow:${updateName}`,
    (output) => field('runId')(field('workflowExecution')(output)),
  ),
  query: calling(({ queryType }) => `QueryWorkflow:${queryType}`),
  terminate: calling(() => 'TerminateWorkflow'),
  cancel: calling(() => 'CancelWorkflow'),
  describe: calling(() => 'DescribeWorkflow'),
};

const scheduleClientInterceptor = { create: calling(() => 'CreateSchedule') };

interface ActivityInput {
  readonly headers: TemporalHeaders;
}

/** The worker calls it for each attempt at an activity. */
function activityInterceptors({ info }: { readonly info: ActivityInfo }) {
  return {
    inbound: {
      execute: (input: ActivityInput, next: (input: ActivityInput) => Promise<unknown>) =>
        observeCall(temporalSurface.recorder()?.activity(info, input.headers), () => next(input)),
    },
    outbound: { getLogAttributes: withTrace },
  };
}

interface NexusInput {
  readonly ctx: NexusOperationInfo;
}

/** The worker calls it for each request of a Nexus operation; older versions know no such. */
function nexusInterceptors() {
  const handling =
    (what: 'Start' | 'Cancel') =>
    (input: NexusInput, next: (input: NexusInput) => Promise<unknown>): Promise<unknown> =>
      observeCall(temporalSurface.recorder()?.nexus(what, input.ctx), () => next(input));
  return {
    inbound: { startOperation: handling('Start'), cancelOperation: handling('Cancel') },
    outbound: { getLogAttributes: withTrace },
  };
}

/** Attributes of a line in the log, with what is active. */
function withTrace(input: Readonly<Record<string, unknown>>, next: (input: object) => object): object {
  const active = trace.getSpanContext(context.active());
  if (active === undefined || !isSpanContextValid(active)) return next(input);
  const { traceId, spanId, traceFlags } = active;
  return next({ trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}`, ...input });
}

/** What the sandbox calls; not while a workflow is replayed, when all of that has been said before. */
const workflowSink = {
  ended: {
    fn: (_info: unknown, span: WorkflowSpanData) => temporalSurface.recorder()?.workflowSpan(span),
    callDuringReplay: false,
  },
  failed: {
    fn: (_info: unknown, reason: string) =>
      temporalSurface.recorder()?.warn(`a workflow could not be traced: ${reason}`),
    callDuringReplay: false,
  },
};
