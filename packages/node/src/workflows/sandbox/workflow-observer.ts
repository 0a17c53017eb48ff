import {
  type Attributes,
  type Context,
  context as contextApi,
  defaultTextMapGetter,
  defaultTextMapSetter,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { proxySinks, type WorkflowInfo } from '@temporalio/workflow';
import { failureMessage, failureType, isFailure } from '../temporal-failure.ts';
import { carrierOf, type TemporalHeaders, type TraceCarrier, withCarrier } from '../temporal-header.ts';
import {
  runIdKey,
  sinkName,
  taskQueueKey,
  undecidedKey,
  type WantedSpans,
  type WorkflowSink,
  workflowIdKey,
} from '../workflow-span.ts';
import { SandboxContextManager } from './sandbox-context-manager.ts';
import { SandboxSpans, SandboxTracerProvider, undecided } from './sandbox-tracer.ts';

/** A piece of the workflow's work that has begun. */
export interface Begun {
  readonly span: Span;
  /** What is active for the work itself. */
  readonly context: Context;
}

interface Work {
  readonly name: string;
  readonly kind: SpanKind;
  /** What it is in this run, the same in every replay. */
  readonly key: string;
  readonly attributes?: Attributes;
}

/**
 * Observes one run of a workflow. What goes wrong in here is told to the worker and changes nothing else: an error would fail
 * the workflow's task. Promises are handed on as they are, so that nothing happens a tick later than without us.
 */
export class WorkflowObserver {
  readonly #info: WorkflowInfo;
  readonly #propagator: TextMapPropagator;
  readonly #contextManager = new SandboxContextManager();
  readonly #spans: SandboxSpans;
  readonly #sink = proxySinks<{ [sinkName]: WorkflowSink }>()[sinkName];
  /** What this run was started with. */
  #received: TraceCarrier | undefined;
  #runContext = ROOT_CONTEXT;

  constructor(info: WorkflowInfo, propagator: TextMapPropagator, wanted: WantedSpans) {
    this.#info = info;
    this.#propagator = propagator;
    this.#spans = new SandboxSpans({
      runId: info.runId,
      wanted,
      export: (span) => this.#sink.ended(span),
    });
    contextApi.setGlobalContextManager(this.#contextManager);
    propagation.setGlobalPropagator(propagator);
    trace.setGlobalTracerProvider(new SandboxTracerProvider(this.#spans, this.#contextManager));
  }

  /** The run itself; what it leaves open ends with it. */
  run(headers: TemporalHeaders, next: () => Promise<unknown>): Promise<unknown> {
    const begun = this.#safely(() => {
      this.#received = carrierOf(headers);
      const { workflowType, taskQueue } = this.#info;
      const work = {
        name: `RunWorkflow:${workflowType}`,
        kind: SpanKind.SERVER,
        key: 'run',
        attributes: { [taskQueueKey]: taskQueue },
      };
      const run = this.#begin(work, this.#parentIn(headers));
      this.#runContext = run.context;
      return run;
    });
    const result = this.follow(begun, next);
    const close = (): void => this.#safely(() => this.#spans.endOpen());
    result.then(close, close);
    return result;
  }

  /** Work that was asked for from outside; where nobody traced that, it belongs to the run. */
  asked(work: Work, headers: TemporalHeaders): Begun | undefined {
    return this.#safely(() => {
      const parent = this.#parentIn(headers);
      const run = trace.getSpanContext(this.#runContext);
      const from = trace.getSpanContext(parent);
      const isElsewhere = run !== undefined && isSpanContextValid(run) && from?.spanId !== run.spanId;
      return this.#begin({ ...work, key: `${work.key}/${from?.spanId}` }, parent, isElsewhere ? run : undefined);
    });
  }

  /** Work that the workflow asks for: a span, whose context goes along in the headers. */
  asking<Input extends { readonly headers: TemporalHeaders }>(
    input: Input,
    name: string,
    key: string,
  ): { readonly begun: Begun | undefined; readonly carrying: Input } {
    return (
      this.#safely(() => {
        const begun = this.#begin({ name, kind: SpanKind.CLIENT, key }, this.#contextManager.active());
        const carrier = this.#carrier(begun.context);
        const headers = Object.keys(carrier).length === 0 ? input.headers : withCarrier(input.headers, carrier);
        return { begun, carrying: { ...input, headers } };
      }) ?? { begun: undefined, carrying: input }
    );
  }

  /** The same with headers that are those of HTTP, as Nexus has them. */
  askingOverHttp<Input extends { readonly headers: Readonly<Record<string, string>> }>(
    input: Input,
    work: Omit<Work, 'kind'>,
  ): { readonly begun: Begun | undefined; readonly carrying: Input } {
    return (
      this.#safely(() => {
        const begun = this.#begin({ ...work, kind: SpanKind.CLIENT }, this.#contextManager.active());
        return { begun, carrying: { ...input, headers: { ...input.headers, ...this.#carrier(begun.context) } } };
      }) ?? { begun: undefined, carrying: input }
    );
  }

  /** The run that follows this one gets the parent that this one had, so that a thousand of them are no ladder. */
  continuing<Input extends { readonly headers: TemporalHeaders }>(input: Input): Input {
    const received = this.#received;
    if (received === undefined) return input;
    return this.#safely(() => ({ ...input, headers: withCarrier(input.headers, received) })) ?? input;
  }

  /** The very promise that `run` makes; the span ends when it is settled. */
  follow<Result>(begun: Begun | undefined, run: () => Promise<Result>): Promise<Result> {
    if (begun === undefined) return run();
    const result = this.inside(begun, run);
    result.then(
      () => this.end(begun),
      (error: unknown) => this.end(begun, { error }),
    );
    return result;
  }

  inside<Result>(begun: Begun, run: () => Result): Result {
    return this.#contextManager.with(begun.context, run);
  }

  end({ span }: Begun, thrown?: { readonly error: unknown }): void {
    this.#safely(() => {
      if (thrown !== undefined && isFailure(thrown.error)) recordFailure(span, thrown.error);
      span.end();
    });
  }

  /** Of what is active, for lines in the log. */
  spanContext(): SpanContext | undefined {
    const active = trace.getSpanContext(this.#contextManager.active());
    return active !== undefined && isSpanContextValid(active) ? active : undefined;
  }

  dispose(): void {
    this.#safely(() => this.#contextManager.disable());
  }

  #begin({ name, kind, key, attributes }: Work, parent: Context, linked?: SpanContext): Begun {
    const { workflowId, runId } = this.#info;
    const options = {
      kind,
      key,
      links: linked === undefined ? [] : [{ context: linked }],
      attributes: { [workflowIdKey]: workflowId, [runIdKey]: runId, ...attributes },
    };
    const span = this.#spans.begin('', name, options, parent);
    return { span, context: this.#spans.inside(span, parent) };
  }

  #parentIn(headers: TemporalHeaders): Context {
    const carrier = carrierOf(headers);
    if (carrier === undefined) return this.#runContext;
    const extracted = this.#propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
    return carrier[undecidedKey] === undefined ? extracted : extracted.setValue(undecided, true);
  }

  /** Fields that the propagator here does not know are handed on as they came. */
  #carrier(context: Context): TraceCarrier {
    const known = new Set([...this.#propagator.fields(), undecidedKey]);
    const foreign = Object.entries(this.#received ?? {}).filter(([name]) => !known.has(name));
    const carrier: TraceCarrier = Object.fromEntries(foreign);
    this.#propagator.inject(context, carrier, defaultTextMapSetter);
    if (context.getValue(undecided) === true) carrier[undecidedKey] = '1';
    return carrier;
  }

  #safely<Result>(run: () => Result): Result | undefined {
    try {
      return run();
    } catch (error) {
      this.#sink.failed(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

/** A workflow's failures wrap those of what it called, which say more. */
function recordFailure(span: Span, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.setAttribute('error.type', failureType(error) ?? error.name);
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: failureMessage(error) });
}
