import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { type Failure, recordFailure } from '../surfaces/operation.ts';
import { promptMessages, providerName } from './ai-provider.ts';
import { AiSpan } from './ai-span.ts';
import type { ModelAnswer, ModelRequest } from './model-call.ts';
import type { ModelCallRecorder } from './model-call-recorder.ts';

/** What the library's operations are by the conventions; the others are the application's own calls. */
const operations: Readonly<Record<string, ModelRequest['operation']>> = {
  doGenerate: 'chat',
  doStream: 'chat',
  doEmbed: 'embeddings',
};

const settings = [
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'frequency_penalty',
  'presence_penalty',
];

/**
 * A tracer for the package `ai`, which tells it with its own names of each call of a model, each tool and each call of the
 * application. `inner`, where there is one, makes the spans and what they hold, and calls are only measured.
 */
export class AiTracer implements Tracer {
  readonly #instrumentation: InstrumentationContext;
  readonly #recorder: ModelCallRecorder;
  readonly #inner: Tracer | undefined;

  constructor(instrumentation: InstrumentationContext, recorder: ModelCallRecorder, inner: Tracer | undefined) {
    this.#instrumentation = instrumentation;
    this.#recorder = recorder;
    this.#inner = inner;
  }

  startSpan(name: string, options?: SpanOptions, parent?: Context): Span {
    return this.#inner?.startSpan(name, options, parent) ?? notRecorded;
  }

  startActiveSpan<Callback extends (span: Span) => unknown>(name: string, fn: Callback): ReturnType<Callback>;
  startActiveSpan<Callback extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    fn: Callback,
  ): ReturnType<Callback>;
  startActiveSpan<Callback extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    parent: Context,
    fn: Callback,
  ): ReturnType<Callback>;
  startActiveSpan(name: string, ...rest: readonly unknown[]): unknown {
    const run = rest.at(-1) as (span: Span) => unknown;
    const { attributes = {} } = (rest.length > 1 ? rest[0] : {}) as SpanOptions;
    const operation = operations[name.slice(name.lastIndexOf('.') + 1)];
    const inner = this.#inner;
    if (operation === undefined)
      return inner === undefined
        ? this.#runOwn(name, attributes, run)
        : inner.startActiveSpan(name, { attributes }, run);
    const call = this.#recorder.begin(() => requestOf(name, operation, attributes), inner !== undefined);
    const observer = {
      isTheirs: inner !== undefined,
      answer: (piece: ModelAnswer) => call?.answer(piece),
      end: (failure: Failure | undefined) => call?.end(failure),
    };
    const inside = call?.context ?? context.active();
    if (inner !== undefined)
      return context.with(inside, () =>
        inner.startActiveSpan(name, { attributes }, (span) => run(new AiSpan(span, observer))),
      );
    return context.with(inside, run, undefined, new AiSpan(trace.getSpan(inside) ?? notRecorded, observer));
  }

  #runOwn(name: string, attributes: Attributes, run: (span: Span) => unknown): unknown {
    const span = this.#startOwn(name, attributes);
    const inside = span === undefined ? context.active() : contextWithSpan(context.active(), span);
    const end = (failure: Failure | undefined): void => {
      if (span === undefined) return;
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return context.with(inside, run, undefined, new AiSpan(span ?? notRecorded, { isTheirs: false, end }));
  }

  /** A span for a tool by the conventions, or for what the application has called. */
  #startOwn(name: string, given: Attributes): Span | undefined {
    if (name !== 'ai.toolCall')
      return this.#instrumentation.startSpan({
        name,
        kind: SpanKind.INTERNAL,
        attributes: () =>
          pick(given, { 'ai.operationId': 'ai.operationId', 'ai.telemetry.functionId': 'ai.telemetry.functionId' }),
      });
    const tool = String(given['ai.toolCall.name']);
    return this.#instrumentation.startSpan({
      name: `execute_tool ${tool}`,
      kind: SpanKind.INTERNAL,
      attributes: () => ({
        'gen_ai.operation.name': 'execute_tool',
        ...pick(given, { 'ai.toolCall.name': 'gen_ai.tool.name', 'ai.toolCall.id': 'gen_ai.tool.call.id' }),
      }),
    });
  }
}

function requestOf(name: string, operation: ModelRequest['operation'], attributes: Attributes): ModelRequest {
  const prompt = attributes['ai.prompt.messages'];
  return {
    provider: providerName(String(attributes['ai.model.provider'] ?? 'unknown')),
    operation,
    model: String(attributes['ai.model.id'] ?? 'unknown'),
    baseUrl: undefined,
    isStream: name.endsWith('.doStream'),
    settings: Object.fromEntries(
      settings.map((setting) => [
        setting,
        attributes[`gen_ai.request.${setting}`] as string | number | string[] | undefined,
      ]),
    ),
    // The library hands its prompt over as JSON.
    messages: () => (typeof prompt === 'string' ? promptMessages(JSON.parse(prompt)) : []),
  };
}

function pick(attributes: Attributes, names: Readonly<Record<string, string>>): Attributes {
  const picked: Attributes = {};
  for (const [theirs, ours] of Object.entries(names))
    if (attributes[theirs] !== undefined) picked[ours] = attributes[theirs];
  return picked;
}

const notRecorded: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
