import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  type Span,
  SpanKind,
} from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { errorType, type Failure, recordFailure } from '../surfaces/operation.ts';
import { type Message, type ModelAnswer, type ModelRequest, mergeAnswers } from './model-call.ts';

/** A request to a model that is under way. */
export interface ModelCall {
  /** What is active for the request itself. */
  readonly context: Context;
  /** A piece of the answer, or all of it. */
  answer(piece: ModelAnswer): void;
  /** The first time is the end; later ones do nothing. */
  end(failure?: Failure): void;
}

/** Advised by https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/, in seconds and in tokens. */
const durationBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const tokenBoundaries = Array.from({ length: 14 }, (_, power) => 4 ** power);
const callBoundaries = [0.1, 0.5, 1, 2, 5, 10, 30, 60];
/** Characters of recorded content in one attribute. */
const MAX_CONTENT = 32_768;

/** Set where a library asks a model through the client of another one, which then must not count the call again. */
const insideCall = createContextKey('signalbox: inside of a call of a language model');

/** Operation, provider, requested model, answering model, address, port. */
type Keys = [string, string, string, string | undefined, string | undefined, number | undefined];

/**
 * Calls of language models by the GenAI conventions: spans `{operation} {model}`, `gen_ai.client.operation.duration`,
 * `gen_ai.client.operation.time_to_first_chunk`, `gen_ai.client.token.usage`; and, under names that dashboards already have,
 * `llm_calls_total`, `llm_call_duration_seconds`, `llm_tokens_input_total`, `llm_tokens_output_total`, `chat_tokens_total`.
 */
export class ModelCallRecorder {
  /** `hasOwnSpan`: the library traces this call itself, so it is only measured. */
  readonly begin: (request: () => ModelRequest, hasOwnSpan: boolean) => ModelCall | undefined;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;
  readonly #duration: CellLookup<[...Keys, error: string | undefined], HistogramCell>;
  readonly #firstChunk: CellLookup<Keys, HistogramCell>;
  readonly #tokens: CellLookup<[...Keys, type: 'input' | 'output'], HistogramCell>;
  readonly #calls: CellLookup<[model: string, provider: string, status: 'ok' | 'error'], SumCell>;
  readonly #callDuration: CellLookup<[model: string, provider: string], HistogramCell>;
  readonly #inputTokens: CellLookup<[model: string, provider: string], SumCell>;
  readonly #outputTokens: CellLookup<[model: string, provider: string], SumCell>;
  readonly #chatTokens: CellLookup<[model: string, ...labels: (string | undefined)[]], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    const { cells, protect } = instrumentation;
    this.begin = protect<[() => ModelRequest, boolean], ModelCall | undefined>(
      (request, hasOwnSpan) => this.#begin(request(), hasOwnSpan),
      () => undefined,
    );
    const seconds = (description: string) => ({ description, unit: 's', boundaries: durationBoundaries });
    this.#duration = cells.histogram(
      'gen_ai.client.operation.duration',
      seconds('GenAI operation duration.'),
      (...[operation, provider, model, answering, address, port, error]) => ({
        ...commonAttributes(operation, provider, model, answering, address, port),
        ...(error !== undefined && { 'error.type': error }),
      }),
    );
    this.#firstChunk = cells.histogram(
      'gen_ai.client.operation.time_to_first_chunk',
      seconds('Time until the first chunk of a streamed answer.'),
      (...keys) => commonAttributes(...keys),
    );
    this.#tokens = cells.histogram(
      'gen_ai.client.token.usage',
      { description: 'Number of input and output tokens used.', unit: '{token}', boundaries: tokenBoundaries },
      (...[operation, provider, model, answering, address, port, type]) => ({
        ...commonAttributes(operation, provider, model, answering, address, port),
        'gen_ai.token.type': type,
      }),
    );
    const own = (description: string, unit: string) => ({ description, unit, prefixed: true });
    this.#calls = cells.counter('llm_calls_total', own('LLM API calls.', '{call}'), (model, provider, status) => ({
      model,
      provider,
      status,
    }));
    this.#callDuration = cells.histogram(
      'llm_call_duration_seconds',
      { ...own('LLM API call duration', 's'), boundaries: callBoundaries },
      (model, provider) => ({ model, provider }),
    );
    const tokens = (name: string, description: string) =>
      cells.counter(name, own(description, '{token}'), (model: string, provider: string) => ({ model, provider }));
    this.#inputTokens = tokens('llm_tokens_input_total', 'Tokens sent to models.');
    this.#outputTokens = tokens('llm_tokens_output_total', 'Tokens that models answered with.');
    const { chatLabels } = instrumentation.settings.llm;
    this.#chatTokens = cells.counter(
      'chat_tokens_total',
      own('Total tokens used in chat', '{token}'),
      (model, ...labels) => {
        const present = chatLabels.flatMap((name, index) =>
          labels[index] === undefined ? [] : [[name, labels[index]]],
        );
        return { model, ...(Object.fromEntries(present) as Attributes) };
      },
    );
  }

  #begin(request: ModelRequest, hasOwnSpan: boolean): ModelCall | undefined {
    const { startSpan, protect, settings } = this.#instrumentation;
    const parent = context.active();
    if (parent.getValue(insideCall) === true) return undefined;
    const server = serverOf(request.baseUrl);
    const span = hasOwnSpan
      ? undefined
      : startSpan({
          name: `${request.operation} ${request.model}`,
          kind: SpanKind.CLIENT,
          parent,
          attributes: () => ({
            ...requestAttributes(request, server),
            ...(settings.llm.captureContent && { 'gen_ai.input.messages': contentOf(request.messages()) }),
          }),
        });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const started = performance.now();
    let answer: ModelAnswer = {};
    let firstChunk: number | undefined;
    const onAnswer = (piece: ModelAnswer): void => {
      firstChunk ??= (performance.now() - started) / 1000;
      answer = mergeAnswers(answer, piece);
    };
    const onEnd = (failure: Failure | undefined): void => {
      const seconds = (performance.now() - started) / 1000;
      const chunk = request.isStream ? firstChunk : undefined;
      this.#measure(request, server, answer, { seconds, firstChunk: chunk, failure, at: inside });
      if (span !== undefined) endSpan(span, answer, chunk, failure, settings.llm.captureContent);
    };
    const operation = this.#open.track({
      context: inside.setValue(insideCall, true),
      end: protect<[Failure?], void>(onEnd, () => {}),
    });
    return { ...operation, answer: protect(onAnswer, () => {}) };
  }

  #measure(
    { operation, provider, model }: ModelRequest,
    { address, port }: Server,
    { model: answering, inputTokens, outputTokens }: ModelAnswer,
    { seconds, firstChunk, failure, at }: Outcome,
  ): void {
    const keys: Keys = [operation, provider, model, answering, address, port];
    this.#duration(...keys, failure && errorType(failure.error)).record(seconds, at);
    if (firstChunk !== undefined) this.#firstChunk(...keys).record(firstChunk, at);
    this.#calls(model, provider, failure === undefined ? 'ok' : 'error').add(1);
    this.#callDuration(model, provider).record(seconds, at);
    if (inputTokens !== undefined) {
      this.#tokens(...keys, 'input').record(inputTokens, at);
      this.#inputTokens(model, provider).add(inputTokens);
    }
    if (outputTokens !== undefined) {
      this.#tokens(...keys, 'output').record(outputTokens, at);
      this.#outputTokens(model, provider).add(outputTokens);
    }
    if (operation !== 'chat' || (inputTokens === undefined && outputTokens === undefined)) return;
    const baggage = propagation.getBaggage(at);
    const labels = this.#instrumentation.settings.llm.chatLabels.map((name) => baggage?.getEntry(name)?.value);
    this.#chatTokens(model, ...labels).add((inputTokens ?? 0) + (outputTokens ?? 0));
  }
}

interface Server {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

interface Outcome {
  readonly seconds: number;
  readonly firstChunk: number | undefined;
  readonly failure: Failure | undefined;
  readonly at: Context;
}

function commonAttributes(...[operation, provider, model, answering, address, port]: Keys): Attributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    ...(answering !== undefined && { 'gen_ai.response.model': answering }),
    ...(address !== undefined && { 'server.address': address }),
    ...(port !== undefined && { 'server.port': port }),
  };
}

function requestAttributes(request: ModelRequest, { address, port }: Server): Attributes {
  const { operation, provider, model, settings, isStream, outputType } = request;
  const attributes = commonAttributes(operation, provider, model, undefined, address, port);
  for (const [name, value] of Object.entries(settings))
    if (value !== undefined) attributes[`gen_ai.request.${name}`] = value;
  if (isStream) attributes['gen_ai.request.stream'] = true;
  if (outputType !== undefined) attributes['gen_ai.output.type'] = outputType;
  return attributes;
}

function endSpan(
  span: Span,
  { id, model, finishReasons, inputTokens, outputTokens, dimensions, text }: ModelAnswer,
  firstChunk: number | undefined,
  failure: Failure | undefined,
  capturesContent: boolean,
): void {
  if (span.isRecording()) {
    span.setAttributes({
      ...(id !== undefined && { 'gen_ai.response.id': id }),
      ...(model !== undefined && { 'gen_ai.response.model': model }),
      ...(finishReasons !== undefined && { 'gen_ai.response.finish_reasons': [...finishReasons] }),
      ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
      ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
      ...(dimensions !== undefined && { 'gen_ai.embeddings.dimension.count': dimensions }),
      ...(firstChunk !== undefined && { 'gen_ai.response.time_to_first_chunk': firstChunk }),
      ...(capturesContent &&
        text !== undefined && { 'gen_ai.output.messages': contentOf([{ role: 'assistant', text }]) }),
    });
    if (failure !== undefined) recordFailure(span, failure);
  }
  span.end();
}

/** Messages as the conventions write them, in JSON. */
function contentOf(messages: readonly Message[]): string {
  const parts = messages.map(({ role, text }) => ({ role, parts: [{ type: 'text', content: text }] }));
  return JSON.stringify(parts).slice(0, MAX_CONTENT);
}

function serverOf(baseUrl: string | undefined): Server {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return { address: undefined, port: undefined };
  const { hostname, port, protocol } = new URL(baseUrl);
  return { address: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) };
}
