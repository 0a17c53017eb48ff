import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { startModelServer } from '../testing/model-server.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';

const conformance =
  process.env.SIGNALBOX_CONFORMANCE ?? fileURLToPath(new URL('../../../../../shared/conformance', import.meta.url));
const registryPath = `${conformance}/semconv/genai-v1.41.0.json`;

/** The same calls under both module systems, each in a span that names it. */
const calls = `
const url = process.env.MODEL_URL;
const openai = new OpenAI({ baseURL: url + '/v1', apiKey: 'secret', maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: 'secret', maxRetries: 0 });
const silent = new Anthropic({ baseURL: url, apiKey: 'secret', maxRetries: 0, openTelemetry: false });
const messages = [{ role: 'system', content: 'Be kind.' }, { role: 'user', content: 'my secret question' }];
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { console.log(name + ': ' + await run()); } finally { span.end(); } });
const read = async (stream, text) => { let all = ''; for await (const event of stream) all += text(event) ?? ''; return all; };
const chat = (more) => openai.chat.completions.create({ model: 'gpt-test', messages, ...more });
const failed = (promise) => promise.then(() => 'no error', (error) => error.constructor.name);
await step('plain', async () => (await chat({ max_completion_tokens: 50, temperature: 0.5, stop: 'x', seed: 4 })).choices[0].message.content);
await step('streamed', async () => read(await chat({ stream: true, stream_options: { include_usage: true } }), (event) => event.choices[0]?.delta.content));
await step('helper', async () => (await openai.chat.completions.stream({ model: 'gpt-test', messages }).finalChatCompletion()).choices[0].message.content);
await step('teed', async () => { const [one, two] = (await chat({ stream: true })).tee(); await read(one, () => ''); return read(two, (event) => event.choices[0]?.delta.content); });
await step('broken off', async () => { for await (const event of await chat({ stream: true })) return event.choices[0].delta.content; });
await step('with response', async () => { const { data, response } = await chat({}).withResponse(); return response.status + data.choices[0].message.content; });
await step('raw', async () => (await (await chat({}).asResponse()).json()).choices[0].message.content);
await step('limited', () => failed(chat({ model: 'limited' })));
await step('gone', () => failed(chat({ model: 'gone' })));
await step('responses', async () => (await openai.responses.create({ model: 'gpt-test', input: 'my secret question', text: { format: { type: 'text' } } })).output_text);
await step('streamed responses', async () => read(await openai.responses.create({ model: 'gpt-test', input: 'x', stream: true }), (event) => event.delta));
await step('embeddings', async () => (await openai.embeddings.create({ model: 'embed-test', input: 'x', encoding_format: 'float' })).data[0].embedding.length);
await step('anthropic', async () => (await anthropic.messages.create({ model: 'claude-test', max_tokens: 20, messages: [messages[1]] })).content[0].text);
await step('anthropic, silent', async () => (await silent.messages.create({ model: 'claude-test', max_tokens: 20, messages: [messages[1]], top_k: 3 })).content[0].text);
await step('anthropic, streamed', async () => read(await silent.messages.create({ model: 'claude-test', max_tokens: 20, messages: [messages[1]], stream: true }), (event) => event.delta?.text));
const labelled = propagation.setBaggage(context.active(), propagation.createBaggage({ 'agent.id': { value: 'a1' }, 'project.id': { value: 'p1' } }));
await context.with(labelled, () => step('labelled', async () => (await chat({})).choices[0].message.content));
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import OpenAI from 'openai'; import Anthropic from '@anthropic-ai/sdk'; import { context, propagation, trace } from '@opentelemetry/api';${calls}`,
  },
  {
    file: 'app.cjs',
    source: `const OpenAI = require('openai'); const Anthropic = require('@anthropic-ai/sdk'); const { context, propagation, trace } = require('@opentelemetry/api'); (async () => {${calls}})();`,
  },
] as const;

beforeAll(buildPackage, 120_000);

describe.each(variants)('language models ($file)', ({ file, source }) => {
  const sink = new OtlpSink();
  let server: Awaited<ReturnType<typeof startModelServer>>;
  let app: App;

  beforeAll(async () => {
    await sink.listen();
    server = await startModelServer();
    app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, MODEL_URL: server.url } });
    const { code } = await app.exited;
    expect(app.stderr).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  afterAll(async () => {
    server.close();
    await sink.close();
  });

  /** The spans of a model within a step. */
  function modelSpans(step: string): SinkSpan[] {
    const { spanId } = sink.span(step);
    return sink.spans.filter(({ parentSpanId, scope }) => parentSpanId === spanId && scope !== '@signalbox/node/fetch');
  }

  function modelSpan(step: string): SinkSpan {
    const spans = modelSpans(step);
    expect(spans).toHaveLength(1);
    return spans[0] as SinkSpan;
  }

  test('answers are what they are without telemetry', () => {
    const lines = app.stdout.trim().split('\n');
    expect(lines).toEqual([
      'plain: Hello.',
      'streamed: Hello.',
      'helper: Hello.',
      'teed: Hello.',
      'broken off: Hel',
      'with response: 200Hello.',
      'raw: Hello.',
      'limited: RateLimitError',
      'gone: APIConnectionError',
      'responses: Hello.',
      'streamed responses: Hello.',
      'embeddings: 3',
      'anthropic: Hello.',
      'anthropic, silent: Hello.',
      'anthropic, streamed: Hello.',
      'labelled: Hello.',
    ]);
  });

  test('a chat has the conventions’ span, which the request is part of', () => {
    const span = modelSpan('plain');
    expect(span).toMatchObject({ name: 'chat gpt-test', kind: 3, status: { code: 0 }, scope: '@signalbox/node/llm' });
    expect(span.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-test',
      'gen_ai.request.max_tokens': 50,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.stop_sequences': ['x'],
      'gen_ai.request.seed': 4,
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.model': 'gpt-test-2026',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 2,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(server.url).port),
    });
    expect(sink.spans.some(({ parentSpanId, name }) => parentSpanId === span.spanId && name === 'POST')).toBe(true);
  });

  test.each(['streamed', 'helper'])('a streamed answer ends the span with what its pieces said (%s)', (step) => {
    expect(modelSpan(step).attributes).toMatchObject({
      'gen_ai.request.stream': true,
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.response.time_to_first_chunk': expect.any(Number),
    });
  });

  test.each(['teed', 'broken off', 'with response', 'raw'])(
    'however it is read, the span ends without an error (%s)',
    (step) => {
      expect(modelSpan(step)).toMatchObject({ name: 'chat gpt-test', status: { code: 0 } });
    },
  );

  test('failures are on the span', () => {
    expect(modelSpan('limited')).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'rate_limit_exceeded' },
    });
    expect(modelSpan('gone')).toMatchObject({ status: { code: 2 }, events: [{ name: 'exception' }] });
  });

  test('responses and embeddings', () => {
    for (const step of ['responses', 'streamed responses'])
      expect(modelSpan(step)).toMatchObject({
        name: 'chat gpt-test',
        attributes: {
          'gen_ai.response.id': 'resp-1',
          'gen_ai.usage.input_tokens': 9,
          'gen_ai.usage.output_tokens': 3,
          'gen_ai.response.finish_reasons': ['stop'],
        },
      });
    expect(modelSpan('responses').attributes['gen_ai.output.type']).toBe('text');
    expect(modelSpan('embeddings')).toMatchObject({
      name: 'embeddings embed-test',
      attributes: {
        'gen_ai.operation.name': 'embeddings',
        'gen_ai.request.encoding_formats': ['float'],
        'gen_ai.embeddings.dimension.count': 3,
        'gen_ai.usage.input_tokens': 5,
      },
    });
  });

  test('Anthropic traces itself unless told not to; then the span is ours', () => {
    expect(modelSpan('anthropic').scope).toBe('com.anthropic.sdk.typescript');
    for (const step of ['anthropic, silent', 'anthropic, streamed'])
      expect(modelSpan(step)).toMatchObject({
        name: 'chat claude-test',
        scope: '@signalbox/node/llm',
        attributes: {
          'gen_ai.provider.name': 'anthropic',
          'gen_ai.request.max_tokens': 20,
          'gen_ai.response.id': 'msg-1',
          'gen_ai.response.finish_reasons': ['end_turn'],
          'gen_ai.usage.input_tokens': 16,
          'gen_ai.usage.output_tokens': 4,
        },
      });
    expect(modelSpan('anthropic, silent').attributes['gen_ai.request.top_k']).toBe(3);
  });

  test('calls and tokens are counted, once each, under the names of the conventions and of dashboards', () => {
    const openai = { model: 'gpt-test', provider: 'openai' };
    expect(sink.point('llm_calls_total', { ...openai, status: 'ok' })).toMatchObject({
      unit: '{call}',
      monotonic: true,
      value: 10,
    });
    expect(sink.point('llm_calls_total', { model: 'limited', status: 'error' }).value).toBe(1);
    expect(sink.point('llm_calls_total', { model: 'claude-test', provider: 'anthropic', status: 'ok' }).value).toBe(3);
    expect(sink.point('llm_call_duration_seconds', openai)).toMatchObject({
      unit: 's',
      type: 'histogram',
      count: 10,
      bounds: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
    });
    // plain, streamed, with response, labelled: 7 each, helper 0 or 7; responses twice 9.
    const usage = sink.point('gen_ai.client.token.usage', {
      'gen_ai.request.model': 'gpt-test',
      'gen_ai.token.type': 'input',
    });
    expect(sink.point('llm_tokens_input_total', openai)).toMatchObject({ unit: '{token}', value: usage.value });
    expect(sink.point('llm_tokens_output_total', { model: 'claude-test' }).value).toBe(12);
    expect(sink.point('chat_tokens_total', { model: 'gpt-test', 'agent.id': 'a1', 'project.id': 'p1' })).toMatchObject({
      unit: '{token}',
      value: 9,
    });
    expect(
      sink.point('gen_ai.client.operation.duration', {
        'gen_ai.request.model': 'limited',
        'error.type': 'rate_limit_exceeded',
      }).count,
    ).toBe(1);
    expect(
      sink.point('gen_ai.client.operation.time_to_first_chunk', { 'gen_ai.provider.name': 'anthropic' }).count,
    ).toBe(1);
  });

  test('neither keys nor what was asked or answered leave the process', () => {
    const sent = JSON.stringify([sink.spans, sink.logs, sink.points], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(sent).not.toContain('secret');
    expect(sent).not.toContain('Hello');
  });

  test.skipIf(!existsSync(registryPath))('names are the registry’s', () => {
    const { attributes } = JSON.parse(readFileSync(registryPath, 'utf8')) as { attributes: Record<string, unknown> };
    const ours = sink.spans
      .filter(({ scope }) => scope === '@signalbox/node/llm')
      .flatMap((span) => Object.keys(span.attributes));
    expect(ours.length).toBeGreaterThan(50);
    for (const name of new Set(ours)) if (name.startsWith('gen_ai.')) expect(Object.keys(attributes)).toContain(name);
  });
});

test('content is recorded when it is asked for', async () => {
  const sink = await new OtlpSink().listen();
  const server = await startModelServer();
  const app = new App({
    file: 'app.mjs',
    source: `import OpenAI from 'openai';
      const client = new OpenAI({ baseURL: process.env.MODEL_URL + '/v1', apiKey: 'x' });
      for await (const _ of await client.chat.completions.create({ model: 'gpt-test', stream: true, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi?' }] }] }));`,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      MODEL_URL: server.url,
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
    },
  });
  expect(await app.exited).toMatchObject({ code: 0 });
  const { attributes } = sink.span('chat gpt-test');
  const content = (role: string, text: string) => JSON.stringify([{ role, parts: [{ type: 'text', content: text }] }]);
  expect(attributes['gen_ai.input.messages']).toBe(content('user', 'Hi?'));
  expect(attributes['gen_ai.output.messages']).toBe(content('assistant', 'Hello.'));
  server.close();
  await sink.close();
});
