import {
  type Attributes,
  type Context,
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanStatus,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationContext, SpanStart } from '../instrumentation.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { W3CTraceState } from '../propagation/trace-state.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';
import { SignalboxTracer } from '../trace/tracer.ts';
import { SignalboxTracerProvider } from '../trace/tracer-provider.ts';
import { failureType, isFailure } from './temporal-failure.ts';
import { carrierOf, type TemporalHeaders, type TraceCarrier, withCarrier } from './temporal-header.ts';
import { TemporalMetrics } from './temporal-metrics.ts';
import {
  activityIdKey,
  attemptKey,
  nexusOperationKey,
  nexusServiceKey,
  type PlainSpanContext,
  runIdKey,
  taskQueueKey,
  undecidedKey,
  type WantedSpans,
  type WorkflowSpanData,
  workflowIdKey,
} from './workflow-span.ts';

/** What of https://typescript.temporal.io/api/interfaces/activity.Info is used. */
export interface ActivityInfo {
  readonly activityType: string;
  readonly activityId: string;
  readonly attempt: number;
  readonly taskQueue: string;
  readonly workflowExecution?: { readonly workflowId: string; readonly runId: string };
}

/** What of a Nexus operation's context is used; headers are those of HTTP, in lower case. */
export interface NexusOperationInfo {
  readonly service: string;
  readonly operation: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Temporal: what clients ask for, workflows and activities. Metrics are those of Temporal's own SDK, under its names.
 */
export const temporalSurface = defineSurface(
  'temporal',
  (instrumentation) => new TemporalRecorder(instrumentation),
  (_instrumentation, recorder) => () => recorder.metrics?.stop(),
);

export class TemporalRecorder {
  /** Undefined where metrics are off. */
  readonly metrics: TemporalMetrics | undefined;
  /** Something that a client asks for. */
  readonly call: (name: string, attributes: () => Attributes) => Operation | undefined;
  /** An attempt at an activity. */
  readonly activity: (info: ActivityInfo, headers: TemporalHeaders) => Operation | undefined;
  /** What a worker does for a Nexus operation: `Start` or `Cancel` it. */
  readonly nexus: (what: 'Start' | 'Cancel', info: NexusOperationInfo) => Operation | undefined;
  /** The headers with the active context in them. */
  readonly inject: (headers: TemporalHeaders) => TemporalHeaders;
  /** A span that has ended in a workflow. */
  readonly workflowSpan: (span: WorkflowSpanData) => void;
  readonly warn: (message: string) => void;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;

  constructor(instrumentation: InstrumentationContext) {
    const { protect, wants, warn } = instrumentation;
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    this.metrics = wants.metrics ? new TemporalMetrics(instrumentation) : undefined;
    this.warn = warn;
    this.call = protect<Parameters<TemporalRecorder['call']>, Operation | undefined>(
      (name, attributes) => this.#begin({ name, kind: SpanKind.CLIENT, parent: context.active(), attributes }),
      () => undefined,
    );
    this.activity = protect<Parameters<TemporalRecorder['activity']>, Operation | undefined>(
      (info, headers) => this.#activity(info, headers),
      () => undefined,
    );
    this.nexus = protect<Parameters<TemporalRecorder['nexus']>, Operation | undefined>(
      (what, info) => this.#nexus(what, info),
      () => undefined,
    );
    this.inject = protect<[TemporalHeaders], TemporalHeaders>(
      (headers) => injectInto(headers),
      (headers) => headers,
    );
    this.workflowSpan = protect<[WorkflowSpanData], void>(
      (span) => this.#workflowSpan(span),
      () => {},
    );
  }

  /** What workflows shall make; without spans they hand on the trace as it comes. */
  wantedSpans(): WantedSpans {
    const { wants, tracerProvider, warn } = this.#instrumentation;
    if (!wants.spans) return 'none';
    if (tracerProvider instanceof SignalboxTracerProvider) return tracerProvider.recordsAll ? 'all' : 'sampled';
    warn(
      "with span processors of one's own, spans of workflows are not recorded: the official tracer chooses their ids",
    );
    return 'none';
  }

  #activity(info: ActivityInfo, headers: TemporalHeaders): Operation {
    return this.#serve(`RunActivity:${info.activityType}`, carrierOf(headers), () => ({
      ...(info.workflowExecution && {
        [workflowIdKey]: info.workflowExecution.workflowId,
        [runIdKey]: info.workflowExecution.runId,
      }),
      [activityIdKey]: info.activityId,
      [attemptKey]: info.attempt,
      [taskQueueKey]: info.taskQueue,
    }));
  }

  #nexus(what: 'Start' | 'Cancel', { service, operation, headers }: NexusOperationInfo): Operation {
    const attributes = { [nexusServiceKey]: service, [nexusOperationKey]: operation };
    return this.#serve(`Run${what}NexusOperationHandler:${service}/${operation}`, { ...headers }, () => attributes);
  }

  /** What was asked for elsewhere, below who asked. */
  #serve(name: string, carrier: TraceCarrier | undefined, attributes: () => Attributes): Operation {
    const sender = carrier && propagation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
    const isUndecided = carrier?.[undecidedKey] !== undefined;
    return this.#begin({
      name,
      kind: SpanKind.SERVER,
      parent: sender ?? context.active(),
      attributes,
      ...(isUndecided && { identity: { isUndecided } }),
    });
  }

  #begin(start: SpanStart & { readonly parent: Context }): Operation {
    const span = this.#instrumentation.startSpan(start);
    const inside = span === undefined ? start.parent : contextWithSpan(start.parent, span);
    const end = (failure?: Failure): void => {
      if (span === undefined) return;
      if (failure !== undefined && isFailure(failure.error)) {
        recordFailure(span, failure);
        const type = failureType(failure.error);
        if (type !== undefined) span.setAttribute('error.type', type);
      }
      span.end();
    };
    return this.#open.track({ context: inside, end: this.#instrumentation.protect(end, () => {}) });
  }

  #workflowSpan(data: WorkflowSpanData): void {
    const { name, kind, scope, spanContext, parent, isUndecided, startMillis, endMillis, attributes, status } = data;
    const span = this.#start(scope, {
      name,
      kind,
      parent: parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent)),
      identity: { spanId: spanContext.spanId, traceId: spanContext.traceId, isUndecided },
      attributes: () => attributes,
      links: data.links.map((link) => ({ context: remote(link) })),
      startTime: startMillis,
    });
    if (span === undefined) return;
    if (span.isRecording()) for (const event of data.events) span.addEvent(event.name, event.attributes, event.millis);
    if (status !== undefined) span.setStatus(status as SpanStatus);
    span.end(endMillis);
  }

  #start(scope: string, start: SpanStart): Span | undefined {
    if (scope === '') return this.#instrumentation.startSpan(start);
    const tracer = this.#instrumentation.tracerProvider.getTracer(scope);
    return tracer instanceof SignalboxTracer ? tracer.startLazily(start, start.parent ?? ROOT_CONTEXT) : undefined;
  }
}

function injectInto(headers: TemporalHeaders): TemporalHeaders {
  const carrier: TraceCarrier = {};
  propagation.inject(context.active(), carrier, defaultTextMapSetter);
  return Object.keys(carrier).length === 0 ? headers : withCarrier(headers, carrier);
}

function remote({ traceState, ...plain }: PlainSpanContext) {
  const state = traceState === undefined ? undefined : W3CTraceState.parse(traceState);
  return { ...plain, isRemote: true, ...(state !== undefined && { traceState: state }) };
}
