import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type TimeInput,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed, sanitizeAttributes } from '@opentelemetry/core';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import type { GivenIdentity, SpanStart } from '../instrumentation.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { RecordingSpan, type SpanOwner } from './span.ts';
import { isValidSpanContext, OwnSpanContext } from './span-context-validity.ts';
import type { SpanScope } from './span-encoding.ts';
import { newSpanId, newTraceId, type RandomId } from './span-ids.ts';

const invalidSpanContext: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };

/** The flag of W3C Trace Context, level 2, by which the trace's first service says that its id is random. */
const RANDOM_TRACE_ID = 0x02;

/** What a tracer needs of its provider. */
export interface TracerOwner extends SpanOwner {
  readonly sampler: Sampler;
  /** Whether name and attributes have to be made before the decision. */
  readonly samplerUsesAttributes: boolean;
  /** Called for every span that is begun; the answer says whether one that the sampler drops is recorded nevertheless. */
  onStart(parent: SpanContext | undefined, decision: SamplingDecision): boolean;
}

interface Beginning {
  readonly name: string | (() => string);
  readonly kind: SpanKind;
  readonly parentContext: Context;
  /** Made for this span alone. */
  readonly attributes: (() => Attributes) | undefined;
  readonly links: readonly Link[] | undefined;
  readonly startTime: TimeInput | undefined;
  readonly reading?: number | undefined;
  readonly identity?: GivenIdentity | undefined;
}

const noAttributes: Attributes = {};
const noLinks: Link[] = [];

/** Decides first, and makes attributes, times and a span only for what is recorded. */
export class SignalboxTracer implements Tracer {
  readonly #scope: SpanScope;
  readonly #owner: TracerOwner;

  constructor(scope: SpanScope, owner: TracerOwner) {
    this.#scope = scope;
    this.#owner = owner;
  }

  startSpan(name: string, options: SpanOptions = {}, parentContext: Context = context.active()): Span {
    if (isTracingSuppressed(parentContext)) return trace.wrapSpanContext(invalidSpanContext);
    const { attributes } = options;
    return this.#start({
      name: String(name),
      kind: options.kind ?? SpanKind.INTERNAL,
      parentContext: options.root === true ? trace.deleteSpan(parentContext) : parentContext,
      attributes: attributes && (() => sanitizeAttributes(attributes)),
      links: options.links,
      startTime: options.startTime,
    });
  }

  /**
   * For instrumentations: names and attributes are asked for only if something comes of them. In `parent` tracing must not be
   * suppressed.
   */
  startLazily({ name, kind, attributes, links, startTime, reading, identity }: SpanStart, parent: Context): Span {
    return this.#start({ name, kind, parentContext: parent, attributes, links, startTime, reading, identity });
  }

  startActiveSpan<Run extends (span: Span) => unknown>(name: string, run: Run): ReturnType<Run>;
  startActiveSpan<Run extends (span: Span) => unknown>(name: string, options: SpanOptions, run: Run): ReturnType<Run>;
  startActiveSpan<Run extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    parentContext: Context,
    run: Run,
  ): ReturnType<Run>;
  startActiveSpan<Run extends (span: Span) => unknown>(
    name: string,
    ...rest: [Run] | [SpanOptions, Run] | [SpanOptions, Context, Run]
  ): ReturnType<Run> {
    const run = rest[rest.length - 1] as Run;
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : undefined;
    const parentContext = rest.length > 2 ? (rest[1] as Context) : context.active();
    const span = this.startSpan(name, options, parentContext);
    const inside = (): ReturnType<Run> => run(span) as ReturnType<Run>;
    return context.with(contextWithSpan(parentContext, span), inside);
  }

  #start({ name, kind, parentContext, attributes, links, startTime, reading, identity }: Beginning): Span {
    const owner = this.#owner;
    const parentSpan = trace.getSpan(parentContext);
    const given = parentSpan?.spanContext();
    const parentSpanContext = given !== undefined && isValidSpanContext(given) ? given : undefined;
    const knownTraceId = parentSpanContext?.traceId ?? identity?.traceId;
    const drawnTraceId = knownTraceId === undefined ? newTraceId() : OwnSpanContext.traceIdOf(parentSpanContext);
    const traceId = knownTraceId ?? (drawnTraceId as RandomId).text;
    const forSampler = owner.samplerUsesAttributes ? (attributes?.() ?? {}) : undefined;
    const known = typeof name === 'string' ? name : owner.samplerUsesAttributes ? name() : undefined;
    const result = owner.sampler.shouldSample(
      identity?.isUndecided === true ? trace.deleteSpan(parentContext) : parentContext,
      traceId,
      known ?? '',
      kind,
      forSampler ?? noAttributes,
      (links as Link[] | undefined) ?? noLinks,
    );
    const isSampled = result.decision === SamplingDecision.RECORD_AND_SAMPLED;
    const traceState = result.traceState ?? parentSpanContext?.traceState;
    const drawnSpanId = identity?.spanId === undefined ? newSpanId() : undefined;
    const spanId = identity?.spanId ?? (drawnSpanId as RandomId).text;
    const traceFlags =
      (isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE) | ((parentSpanContext?.traceFlags ?? 0) & RANDOM_TRACE_ID);
    const spanContext = new OwnSpanContext(traceId, spanId, traceFlags, traceState, {
      trace: drawnTraceId,
      span: drawnSpanId,
    });
    const recordsAnyway = owner.onStart(parentSpanContext, result.decision);
    if (result.decision === SamplingDecision.NOT_RECORD && !recordsAnyway) return trace.wrapSpanContext(spanContext);
    const span = new RecordingSpan(owner, {
      scope: this.#scope,
      spanContext,
      name: known ?? (name as () => string)(),
      kind,
      parentSpanContext,
      parent: parentSpanContext !== undefined && parentSpan instanceof RecordingSpan ? parentSpan : undefined,
      startTime,
      reading,
    });
    const own = forSampler ?? attributes?.();
    if (own !== undefined) span.adopt(own);
    if (result.attributes !== undefined) span.setAttributes(result.attributes);
    if (links !== undefined) for (const link of links) span.addLink(link);
    return span;
  }
}
