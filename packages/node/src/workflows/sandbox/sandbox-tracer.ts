import {
  type Context,
  createContextKey,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { WantedSpans, WorkflowSpanData } from '../workflow-span.ts';
import type { SandboxContextManager } from './sandbox-context-manager.ts';
import { millisOf, SandboxSpan } from './sandbox-span.ts';
import { spanHash } from './span-hash.ts';

/** In a context: its trace began in a workflow, and no sampler was asked. */
export const undecided = createContextKey('signalbox trace is undecided');

export interface SandboxTracing {
  /** Of the run: what ids are made of. */
  readonly runId: string;
  readonly wanted: WantedSpans;
  /** Called for spans that are wanted, when they end. */
  readonly export: (span: WorkflowSpanData) => void;
}

/** How a span of ours begins. */
export interface SandboxSpanOptions extends SpanOptions {
  /** What it is in this run, the same in every replay. */
  readonly key: string;
}

/** Begins the spans of one run of a workflow, and knows those that are open. */
export class SandboxSpans {
  readonly #tracing: SandboxTracing;
  readonly #open = new Set<SandboxSpan>();

  constructor(tracing: SandboxTracing) {
    this.#tracing = tracing;
  }

  begin(scope: string, name: string, options: SandboxSpanOptions, parentContext: Context): Span {
    const { wanted, runId } = this.#tracing;
    const parent = options.root === true ? undefined : trace.getSpanContext(parentContext);
    const isSampled = parent === undefined || (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
    // Whatever is not recorded leaves the trace as it is: what follows becomes the child of what is there.
    if (wanted === 'none' || (wanted === 'sampled' && !isSampled)) return trace.wrapSpanContext(parent ?? invalid);
    const spanContext: SpanContext = {
      // As random as the id of a trace has to be.
      traceId: parent?.traceId ?? `${spanHash(`${runId}/trace`)}${spanHash(`trace/${runId}`)}`,
      spanId: spanHash(`${runId}/${options.key}`),
      traceFlags: parent?.traceFlags ?? TraceFlags.SAMPLED,
      ...(parent?.traceState !== undefined && { traceState: parent.traceState }),
    };
    const start = {
      name,
      scope,
      kind: options.kind ?? SpanKind.INTERNAL,
      isUndecided: parent === undefined || parentContext.getValue(undecided) === true,
      startMillis: millisOf(options.startTime),
      spanContext,
      parent,
      attributes: options.attributes ?? {},
      links: options.links ?? [],
    };
    const span = new SandboxSpan(start, (ended, data) => {
      this.#open.delete(ended);
      this.#tracing.export(data);
    });
    this.#open.add(span);
    return span;
  }

  /** The context in which `span`, begun under `parent`, is active. */
  inside(span: Span, parent: Context): Context {
    const context = trace.setSpan(parent, span);
    const isRoot = span instanceof SandboxSpan && trace.getSpanContext(parent) === undefined;
    return isRoot ? context.setValue(undecided, true) : context;
  }

  /** The run is over: nobody will end what it leaves open. */
  endOpen(): void {
    for (const span of this.#open) span.end();
  }
}

const invalid: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: TraceFlags.NONE };

/** The API's own tracers, for workflows that make spans themselves. */
export class SandboxTracerProvider implements TracerProvider {
  readonly #spans: SandboxSpans;
  readonly #contextManager: SandboxContextManager;
  /** Children by parent's id: no count goes across a query, of which replays know nothing. */
  readonly #children = new Map<string, number>();

  constructor(spans: SandboxSpans, contextManager: SandboxContextManager) {
    this.#spans = spans;
    this.#contextManager = contextManager;
  }

  getTracer(scope: string): Tracer {
    const startSpan = (name: string, options: SpanOptions = {}, parent: Context = this.#contextManager.active()) =>
      this.#spans.begin(scope, name, { ...options, key: this.#keyBelow(parent) }, parent);
    const startActiveSpan = <Run extends (span: Span) => unknown>(
      name: string,
      ...rest: [Run] | [SpanOptions, Run] | [SpanOptions, Context, Run]
    ): ReturnType<Run> => {
      const run = rest[rest.length - 1] as Run;
      const options = rest.length > 1 ? (rest[0] as SpanOptions) : undefined;
      const parent = rest.length > 2 ? (rest[1] as Context) : this.#contextManager.active();
      const span = startSpan(name, options, parent);
      return this.#contextManager.with(this.#spans.inside(span, parent), () => run(span) as ReturnType<Run>);
    };
    return { startSpan, startActiveSpan };
  }

  #keyBelow(parent: Context): string {
    const above = trace.getSpanContext(parent)?.spanId ?? '';
    const count = (this.#children.get(above) ?? 0) + 1;
    this.#children.set(above, count);
    return `${above}/${count}`;
  }
}
