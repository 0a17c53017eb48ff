import type { InstrumentationContext } from '../instrumentation.ts';
import type { ModelCallRecorder } from './model-call-recorder.ts';
import {
  asBody,
  asList,
  type CallReader,
  contentText,
  numberOf,
  observeCreate,
  stopSequences,
  textOf,
} from './observe-create.ts';

/**
 * Anthropic's client: messages, at once or streamed. From 1.0 it makes spans itself (`anthropic.messages.create`, through
 * the same provider), unless its `openTelemetry` option is off: then, and for older ones, the spans are ours. The metrics
 * are ours always.
 */
export function hookAnthropic(context: InstrumentationContext, recorder: ModelCallRecorder): () => void {
  // Early ones had them in one file, which hands on the same class since.
  const files = ['resources/messages/messages', 'resources/messages'].flatMap((path) => [`${path}.js`, `${path}.mjs`]);
  const observed = new WeakSet<object>();
  return context.onModule<{ readonly Messages?: { readonly prototype: object } }>(
    '@anthropic-ai/sdk',
    { versions: { from: '0.20', below: '2' }, files },
    ({ Messages }, module) => {
      if (Messages === undefined || observed.has(Messages.prototype)) return;
      observed.add(Messages.prototype);
      observeCreate(Messages.prototype, module, recorder, context, messages);
    },
  );
}

const messages: CallReader = {
  request: (body, client) => ({
    provider: 'anthropic',
    operation: 'chat',
    model: textOf(body.model) ?? 'unknown',
    baseUrl: textOf(client.baseURL),
    isStream: body.stream === true,
    settings: {
      max_tokens: numberOf(body.max_tokens),
      temperature: numberOf(body.temperature),
      top_p: numberOf(body.top_p),
      top_k: numberOf(body.top_k),
      stop_sequences: stopSequences(body.stop_sequences),
    },
    messages: () => [
      ...(body.system === undefined ? [] : [{ role: 'system', text: contentText(body.system) }]),
      ...asList(body.messages).map(({ role, content }) => ({ role: textOf(role) ?? '', text: contentText(content) })),
    ],
  }),
  /** A message, or the events that build one up. */
  answer(answer) {
    const { type } = answer;
    if (type === 'content_block_delta') return { text: textOf(asBody(answer.delta).text) };
    const message = type === 'message_start' ? asBody(answer.message) : answer;
    const reason = textOf((type === 'message_delta' ? asBody(answer.delta) : message).stop_reason);
    const usage = asBody(message.usage);
    const input = numberOf(usage.input_tokens);
    // What came from a cache, or went into one, was input too.
    const cached = (numberOf(usage.cache_read_input_tokens) ?? 0) + (numberOf(usage.cache_creation_input_tokens) ?? 0);
    return {
      id: type === 'message_delta' ? undefined : textOf(message.id),
      model: textOf(message.model),
      finishReasons: reason === undefined ? undefined : [reason],
      inputTokens: input === undefined ? undefined : input + cached,
      outputTokens: numberOf(usage.output_tokens),
      text: type === 'message' ? contentText(message.content) : undefined,
    };
  },
};
