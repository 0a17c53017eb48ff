import diagnosticsChannel from 'node:diagnostics_channel';
import { type Attributes, type Context, context, createContextKey, type Span, SpanKind } from '@opentelemetry/api';
import { handleOf, type InstrumentationContext } from '../instrumentation.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { type Failure, recordFailure } from '../surfaces/operation.ts';
import { promptMessages, providerName } from './ai-provider.ts';
import type { ModelAnswer, ModelRequest } from './model-call.ts';
import type { ModelCall, ModelCallRecorder } from './model-call-recorder.ts';
import { asBody, asList, type Body, contentText, numberOf, stopSequences, textOf } from './observe-create.ts';

/** What the package publishes; the same object when something begins and when it ends. */
interface AiMessage {
  readonly type: string;
  readonly event: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** What is under way, by the message that announced it. */
interface Pending {
  end(failure: Failure | undefined, result: unknown): void;
}

const channel = 'tracing:ai:telemetry';
const embeddings = new Set(['embed', 'embedMany']);

/** Calls of models whose answers are being read, in what the application does with `streamText`. */
const readingKey = createContextKey('signalbox: streamed answers that are being read');

/**
 * The package `ai` from version 7, which announces what it does on a tracing channel: the application's calls, each call of a model
 * and each tool.
 */
export function observeAiChannel(instrumentation: InstrumentationContext, recorder: ModelCallRecorder): () => void {
  const { bindChannel, subscribe, startSpan } = instrumentation;
  const pending = new WeakMap<object, Pending>();
  const begin = (message: AiMessage, name: string, attributes: Attributes): Context => {
    const span = startSpan({ name, kind: SpanKind.INTERNAL, attributes: () => attributes });
    const reading = message.type === 'streamText' ? new Set<ModelCall>() : undefined;
    pending.set(message, {
      end(failure) {
        // Whoever gives up reading an answer is done with it here.
        for (const call of reading ?? []) call.end();
        if (span !== undefined) endSpan(span, failure);
      },
    });
    const inside = span === undefined ? context.active() : contextWithSpan(context.active(), span);
    return inside.setValue(readingKey, reading);
  };
  const undo = handleOf(
    bindChannel(diagnosticsChannel.channel(`${channel}:start`), (published) => {
      const message = published as AiMessage;
      const event = asBody(message.event);
      if (message.type === 'languageModelCall' || embeddings.has(message.type)) {
        const reading = context.active().getValue(readingKey) as Set<ModelCall> | undefined;
        const call = recorder.begin(() => requestOf(message.type, event, reading !== undefined), false);
        if (call === undefined) return context.active();
        pending.set(message, { end: (failure, result) => endCall(call, failure, result, reading) });
        return call.context;
      }
      if (message.type === 'executeTool') {
        const { toolName, toolCallId } = asBody(event.toolCall);
        return begin(message, `execute_tool ${String(toolName)}`, {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': String(toolName),
          'gen_ai.tool.call.id': String(toolCallId),
        });
      }
      const name = textOf(event.operationId);
      // A step is what its call of a model and its tools are.
      if (name === undefined) return context.active();
      const functionId = textOf(event.functionId);
      return begin(message, name, {
        'ai.operationId': name,
        ...(functionId !== undefined && { 'ai.telemetry.functionId': functionId }),
      });
    }),
    subscribe(`${channel}:asyncEnd`, (published) => {
      const message = published as AiMessage;
      const { error } = message;
      pending.get(message)?.end(error === undefined ? undefined : { error }, message.result);
      pending.delete(message);
    }),
  );
  return () => undo[Symbol.dispose]();
}

function endSpan(span: Span, failure: Failure | undefined): void {
  if (failure !== undefined) recordFailure(span, failure);
  span.end();
}

function requestOf(type: string, event: Body, isStream: boolean): ModelRequest {
  return {
    provider: providerName(textOf(event.provider) ?? 'unknown'),
    operation: embeddings.has(type) ? 'embeddings' : 'chat',
    model: textOf(event.modelId) ?? 'unknown',
    baseUrl: undefined,
    isStream,
    settings: {
      max_tokens: numberOf(event.maxOutputTokens),
      temperature: numberOf(event.temperature),
      top_p: numberOf(event.topP),
      top_k: numberOf(event.topK),
      stop_sequences: stopSequences(event.stopSequences),
      seed: numberOf(event.seed),
      frequency_penalty: numberOf(event.frequencyPenalty),
      presence_penalty: numberOf(event.presencePenalty),
    },
    messages: () => [
      ...(event.instructions === undefined ? [] : [{ role: 'system', text: instructionsText(event.instructions) }]),
      ...promptMessages(event.messages),
    ],
  };
}

/** A text, or messages of the system. */
function instructionsText(instructions: unknown): string {
  if (typeof instructions === 'string') return instructions;
  const messages = Array.isArray(instructions) ? instructions : [instructions];
  return promptMessages(messages)
    .map(({ text }) => text)
    .join('\n');
}

function endCall(
  call: ModelCall,
  failure: Failure | undefined,
  result: unknown,
  reading: Set<ModelCall> | undefined,
): void {
  const answer = asBody(result);
  const { stream } = answer;
  if (failure === undefined && stream instanceof ReadableStream) {
    reading?.add(call);
    observeStream(stream, call);
    return;
  }
  call.answer(answerOf(answer));
  call.end(failure);
}

/** The package reads the stream through a transformation: what passes is looked at before. */
function observeStream(stream: ReadableStream, call: ModelCall): void {
  const { pipeThrough } = stream;
  let failure: Failure | undefined;
  const watch = () =>
    new TransformStream({
      transform(part: unknown, controller) {
        const body = asBody(part);
        if (body.type === 'error') failure = { error: body.error };
        else if (body.type !== 'stream-start') call.answer(pieceOf(body));
        controller.enqueue(part);
      },
      flush() {
        call.end(failure);
      },
    });
  Object.defineProperty(stream, 'pipeThrough', {
    configurable: true,
    value: (...args: Parameters<typeof pipeThrough>) =>
      (Reflect.apply(pipeThrough, stream, [watch()]) as ReadableStream).pipeThrough(...args),
  });
}

/** A part of a streamed answer. */
function pieceOf(part: Body): ModelAnswer {
  switch (part.type) {
    case 'response-metadata':
      return { id: textOf(part.id), model: textOf(part.modelId) };
    case 'text-delta':
      return { text: textOf(part.delta) };
    case 'finish':
      return answerOf(part);
    default:
      return {};
  }
}

/** A whole answer. */
function answerOf({ response, finishReason, usage, content }: Body): ModelAnswer {
  const { id, modelId } = asBody(response);
  const reason = textOf(asBody(finishReason).unified);
  const { inputTokens, outputTokens, tokens } = asBody(usage);
  const text = contentText(asList(content).filter(({ type }) => type === 'text'));
  return {
    id: textOf(id),
    model: textOf(modelId),
    finishReasons: reason === undefined ? undefined : [reason],
    inputTokens: numberOf(asBody(inputTokens).total) ?? numberOf(tokens),
    outputTokens: numberOf(asBody(outputTokens).total),
    text: text === '' ? undefined : text,
  };
}
