import { handleOf, type InstrumentationContext, type InstrumentationHandle } from '../instrumentation.ts';
import type { ModelCallRecorder } from './model-call-recorder.ts';
import {
  asBody,
  asList,
  type Body,
  type CallReader,
  type Client,
  contentText,
  numberOf,
  observeCreate,
  stopSequences,
  textOf,
} from './observe-create.ts';

/** OpenAI's client 4 to 7: chat completions, responses and embeddings; what is built on them (`parse`, `stream`, `runTools`) too. */
export function hookOpenai(context: InstrumentationContext, recorder: ModelCallRecorder): InstrumentationHandle {
  const observed = new WeakSet<object>();
  const hook = (path: string, name: string, reader: CallReader) =>
    context.onModule<Record<string, { readonly prototype: object }>>(
      'openai',
      { versions: { from: '4', below: '8' }, files: [`${path}.js`, `${path}.mjs`] },
      (exports, module) => {
        const prototype = exports[name]?.prototype;
        if (prototype === undefined || observed.has(prototype)) return;
        observed.add(prototype);
        observeCreate(prototype, module, recorder, context, reader);
      },
    );
  return handleOf(
    hook('resources/chat/completions/completions', 'Completions', chat),
    // Where early ones of 4 had it, and later ones hand on the same class.
    hook('resources/chat/completions', 'Completions', chat),
    hook('resources/responses/responses', 'Responses', responses),
    hook('resources/embeddings', 'Embeddings', embeddings),
  );
}

const chat: CallReader = {
  request: (body, client) => ({
    ...common(body, client),
    operation: 'chat',
    settings: {
      max_tokens: numberOf(body.max_completion_tokens) ?? numberOf(body.max_tokens),
      temperature: numberOf(body.temperature),
      top_p: numberOf(body.top_p),
      frequency_penalty: numberOf(body.frequency_penalty),
      presence_penalty: numberOf(body.presence_penalty),
      seed: numberOf(body.seed),
      'choice.count': body.n === 1 ? undefined : numberOf(body.n),
      stop_sequences: stopSequences(body.stop),
    },
    outputType: outputType(asBody(body.response_format).type),
    messages: () =>
      asList(body.messages).map(({ role, content }) => ({ role: textOf(role) ?? '', text: contentText(content) })),
  }),
  answer(answer) {
    const choices = asList(answer.choices);
    const usage = asBody(answer.usage);
    const reasons = choices.flatMap(({ finish_reason: reason }) => textOf(reason) ?? []);
    const parts = choices.flatMap(({ message, delta }) => textOf(asBody(message ?? delta).content) ?? []);
    return {
      id: textOf(answer.id),
      model: textOf(answer.model),
      finishReasons: reasons.length > 0 ? reasons : undefined,
      inputTokens: numberOf(usage.prompt_tokens),
      outputTokens: numberOf(usage.completion_tokens),
      text: parts.length > 0 ? parts.join('') : undefined,
    };
  },
};

const responses: CallReader = {
  request: (body, client) => ({
    ...common(body, client),
    operation: 'chat',
    settings: {
      max_tokens: numberOf(body.max_output_tokens),
      temperature: numberOf(body.temperature),
      top_p: numberOf(body.top_p),
    },
    outputType: outputType(asBody(asBody(body.text).format).type),
    messages: () =>
      typeof body.input === 'string'
        ? [{ role: 'user', text: body.input }]
        : asList(body.input).map(({ role, content }) => ({ role: textOf(role) ?? '', text: contentText(content) })),
  }),
  /** Of a stream, events that bring the response as it stands, and the texts between them. */
  answer(answer) {
    const { type } = answer;
    if (type === 'response.output_text.delta') return { text: textOf(answer.delta) };
    const isEvent = typeof type === 'string' && type.startsWith('response.');
    const response = isEvent ? asBody(answer.response) : answer;
    const usage = asBody(response.usage);
    const { status } = response;
    return {
      id: textOf(response.id),
      model: textOf(response.model),
      finishReasons: status === 'completed' ? ['stop'] : status === 'incomplete' ? ['length'] : undefined,
      inputTokens: numberOf(usage.input_tokens),
      outputTokens: numberOf(usage.output_tokens),
      text: isEvent ? undefined : textOf(response.output_text),
    };
  },
};

const embeddings: CallReader = {
  request: (body, client) => ({
    ...common(body, client),
    operation: 'embeddings',
    isStream: false,
    settings: { encoding_formats: stopSequences(body.encoding_format) },
    messages: () => [],
  }),
  answer(answer) {
    const [first] = asList(answer.data);
    const vector = first?.embedding;
    return {
      model: textOf(answer.model),
      inputTokens: numberOf(asBody(answer.usage).prompt_tokens),
      dimensions: Array.isArray(vector) ? vector.length : undefined,
    };
  },
};

function common(body: Body, client: Client) {
  return {
    provider: client.constructor?.name === 'AzureOpenAI' ? 'azure.ai.openai' : 'openai',
    model: textOf(body.model) ?? 'unknown',
    baseUrl: textOf(client.baseURL),
    isStream: body.stream === true,
  };
}

function outputType(type: unknown): string | undefined {
  if (type === 'text') return 'text';
  return type === 'json_object' || type === 'json_schema' ? 'json' : undefined;
}
