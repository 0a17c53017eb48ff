import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { startModelServer } from '../testing/model-server.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const internal = 1;

const calls = `
const url = process.env.MODEL_URL;
const provider = createOpenAI({ baseURL: url + '/v1', apiKey: 'secret' });
const model = (name = 'gpt-test') => provider.chat(name);
const prompt = 'my secret question';
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { console.log(name + ': ' + await run()); } finally { span.end(); } });
const failed = (promise) => promise.then(() => 'no error', (error) => error.name);
const read = async ({ textStream }) => { let all = ''; for await (const text of textStream) all += text; return all; };
const quiet = { onError() {} };
await step('plain', async () => (await generateText({ model: model(), prompt, temperature: 0.5, maxOutputTokens: 50, maxRetries: 0 })).text);
await step('streamed', () => read(streamText({ model: model(), prompt, maxRetries: 0 })));
await step('limited', () => failed(generateText({ model: model('limited'), prompt, maxRetries: 0 })));
await step('limited stream', () => read(streamText({ model: model('limited'), prompt, maxRetries: 0, ...quiet })).catch((error) => error.name));
await step('gone', () => failed(generateText({ model: model('gone'), prompt, maxRetries: 0 })));
await step('embedding', async () => (await embed({ model: provider.textEmbeddingModel('embed-test'), value: 'my secret', maxRetries: 0 })).embedding.length);
await step('their own', async () => (await generateText({ model: model(), prompt, maxRetries: 0, experimental_telemetry: { isEnabled: true, functionId: 'mine', recordInputs: false, recordOutputs: false } })).text);
await step('turned off', async () => (await generateText({ model: model(), prompt, maxRetries: 0, experimental_telemetry: { isEnabled: false } })).text);
const tools = { weather: tool({ inputSchema: jsonSchema({ type: 'object', properties: {} }), execute: async () => { tracer.startSpan('looking').end(); return 'fine'; } }) };
await step('agent', async () => (await new ToolLoopAgent({ model: model('tool-test'), tools, maxRetries: 0 }).generate({ prompt })).text);
// A provider that is a client of its own, which is instrumented as well.
const openai = new OpenAI({ baseURL: url + '/v1', apiKey: 'secret', maxRetries: 0 });
const onClient = {
  specificationVersion: 'v3', provider: 'openai.client', modelId: 'gpt-test', supportedUrls: {},
  async doGenerate() {
    const answer = await openai.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: prompt }] });
    return { content: [{ type: 'text', text: answer.choices[0].message.content }], finishReason: { unified: 'stop', raw: 'stop' }, warnings: [],
      usage: { inputTokens: { total: 7, noCache: 7 }, outputTokens: { total: 2, text: 2 } } };
  },
};
await step('on a client', async () => (await generateText({ model: onClient, prompt, maxRetries: 0 })).text);
`;

const versions = { six: {}, seven: { ai: 'ai-7', '@ai-sdk/openai': 'ai-sdk-openai-4' } } as const;

const variants = [
  {
    version: 6,
    packages: versions.six,
    file: 'app.mjs',
    source: `import { ToolLoopAgent, embed, generateText, jsonSchema, streamText, tool } from 'ai'; import { createOpenAI } from '@ai-sdk/openai';
import OpenAI from 'openai'; import { trace } from '@opentelemetry/api';${calls}`,
  },
  {
    version: 6,
    packages: versions.six,
    file: 'app.cjs',
    source: `const { ToolLoopAgent, embed, generateText, jsonSchema, streamText, tool } = require('ai'); const { createOpenAI } = require('@ai-sdk/openai');
const OpenAI = require('openai'); const { trace } = require('@opentelemetry/api'); (async () => { ${calls} })();`,
  },
] as const;
/** Version 7 is an ES module only. Version 6 as CommonJS in the long tier. */
const seven = { ...variants[0], version: 7, packages: versions.seven };
const all = isFull ? [...variants, seven] : [variants[0], seven];

beforeAll(buildPackage, 120_000);

describe.each(all)(
  'the package ai $version, against a server that speaks the API of OpenAI ($file)',
  ({ version, packages, file, source }) => {
    const sink = new OtlpSink();
    let server: { url: string; close(): void };
    let app: App;

    beforeAll(async () => {
      await sink.listen();
      server = await startModelServer();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, MODEL_URL: server.url };
      app = new App({ file, source, packages, env });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    }, 120_000);
    afterAll(async () => {
      server.close();
      await sink.close();
    });

    const childrenOf = ({ spanId }: SinkSpan): SinkSpan[] =>
      sink.spans.filter(({ parentSpanId }) => parentSpanId === spanId);
    const only = (spans: SinkSpan[]): SinkSpan => {
      const [span] = spans;
      if (span === undefined || spans.length > 1)
        throw new Error(`instead of one: ${spans.map(({ name }) => name).join(', ')}`);
      return span;
    };
    /** The call of a model within what the application has called within a step. */
    const callIn = (step: string): SinkSpan => only(childrenOf(only(childrenOf(sink.span(step)))));

    test('answers are what they are without telemetry', () => {
      expect(app.stdout.trim().split('\n')).toEqual([
        'plain: Hello.',
        'streamed: Hello.',
        'limited: AI_APICallError',
        expect.stringMatching(/^limited stream: /),
        'gone: AI_APICallError',
        'embedding: 3',
        'their own: Hello.',
        'turned off: Hello.',
        'agent: Hello.',
        'on a client: Hello.',
      ]);
      expect(app.stderr).not.toContain('signalbox');
    });

    test('a call has the span of the conventions, within the function that was called, around its request', () => {
      expect(only(childrenOf(sink.span('plain')))).toMatchObject({ name: 'ai.generateText', kind: internal });
      const call = callIn('plain');
      expect(call).toMatchObject({ name: 'chat gpt-test', kind: 3, status: { code: 0 } });
      expect(call.attributes).toEqual({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-test',
        'gen_ai.request.max_tokens': 50,
        'gen_ai.request.temperature': 0.5,
        'gen_ai.response.id': 'chatcmpl-1',
        'gen_ai.response.model': 'gpt-test-2026',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.usage.input_tokens': 7,
        'gen_ai.usage.output_tokens': 2,
      });
      expect(only(childrenOf(call))).toMatchObject({ name: 'POST', kind: 3 });
    });

    test('a stream ends when it has been read, with its tokens and the time of its first piece', () => {
      const { attributes } = callIn('streamed');
      expect(attributes).toMatchObject({
        'gen_ai.request.stream': true,
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.usage.input_tokens': 7,
        'gen_ai.usage.output_tokens': 2,
        'gen_ai.response.time_to_first_chunk': expect.any(Number),
      });
    });

    test('what fails is an error', () => {
      for (const step of ['limited', 'limited stream', 'gone'])
        expect(callIn(step), step).toMatchObject({
          status: { code: 2 },
          attributes: { 'error.type': 'AI_APICallError' },
        });
      expect(callIn('limited').status.message).toBe('Too many.');
    });

    test('embeddings', () => {
      // Version 7 announces no call of the model apart from that of the application.
      const call = version === 7 ? only(childrenOf(sink.span('embedding'))) : callIn('embedding');
      expect(call).toMatchObject({
        name: 'embeddings embed-test',
        attributes: { 'gen_ai.operation.name': 'embeddings', 'gen_ai.usage.input_tokens': 5 },
      });
    });

    test('an agent has its calls and its tools', () => {
      const inside = childrenOf(only(childrenOf(sink.span('agent'))));
      expect(inside.map(({ name }) => name)).toEqual(['chat tool-test', 'execute_tool weather', 'chat tool-test']);
      expect(inside[1]).toMatchObject({
        kind: internal,
        attributes: {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'weather',
          'gen_ai.tool.call.id': 'call-1',
        },
      });
      expect(childrenOf(inside[1] as SinkSpan).map(({ name }) => name)).toEqual(['looking']);
    });

    test("the application's own telemetry makes its own spans, and none where it is turned off", () => {
      // Version 7 has integrations for that, none of which is there.
      const scope = version === 7 ? '@signalbox/node/llm' : 'ai';
      const name = version === 7 ? 'chat gpt-test' : 'ai.generateText.doGenerate';
      expect(only(childrenOf(sink.span('their own')))).toMatchObject({ name: 'ai.generateText', scope });
      expect(callIn('their own')).toMatchObject({ name, scope });
      expect(only(childrenOf(sink.span('turned off')))).toMatchObject({ name: 'POST' });
    });

    test('a call through another client is counted once', () => {
      expect(only(childrenOf(callIn('on a client')))).toMatchObject({ name: 'POST' });
      const value = (metric: string, model: string) => sink.point(metric, { model, provider: 'openai' }).value;
      // Plain, streamed, their own, on a client.
      expect(sink.point('llm_calls_total', { model: 'gpt-test', provider: 'openai', status: 'ok' }).value).toBe(4);
      expect(sink.point('llm_calls_total', { model: 'limited', provider: 'openai', status: 'error' }).value).toBe(2);
      // Version 7 keeps answers to itself where the application does not want them recorded.
      const tokens = version === 7 ? [21, 6] : [28, 8];
      expect([value('llm_tokens_input_total', 'gpt-test'), value('llm_tokens_output_total', 'gpt-test')]).toEqual(
        tokens,
      );
      expect(sink.point('chat_tokens_total', { model: 'gpt-test' }).value).toBe(version === 7 ? 27 : 36);
      expect(sink.point('llm_call_duration_seconds', { model: 'gpt-test' })).toMatchObject({
        unit: 's',
        count: 4,
        bounds: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
      });
    });

    test('what is asked and answered is not recorded, nor are keys', () => {
      const everything = JSON.stringify(sink.spans.map(({ attributes, events }) => [attributes, events]));
      expect(everything).not.toContain('secret');
      expect(everything).not.toContain('Hello.');
    });
  },
);

/** Version 7 in the long tier only: its packages have to be copied for each application. */
const contentVersions = [[6, versions.six] as const, ...(isFull ? [[7, versions.seven] as const] : [])];

test.each(contentVersions)(
  'content is recorded where that is asked for (%i)',
  async (_, packages) => {
    const sink = await new OtlpSink().listen();
    const server = await startModelServer();
    const app = new App({
      file: 'app.mjs',
      source: `import { generateText } from 'ai'; import { createOpenAI } from '@ai-sdk/openai';
      const model = createOpenAI({ baseURL: process.env.MODEL_URL + '/v1', apiKey: 'secret' }).chat('gpt-test');
      await generateText({ model, system: 'Be kind.', prompt: 'a question', maxRetries: 0 });`,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        MODEL_URL: server.url,
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
      },
      packages,
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    server.close();
    await sink.close();
    const { attributes } = sink.span('chat gpt-test');
    const text = (role: string, content: string) => ({ role, parts: [{ type: 'text', content }] });
    expect(JSON.parse(String(attributes['gen_ai.input.messages']))).toEqual([
      text('system', 'Be kind.'),
      text('user', 'a question'),
    ]);
    expect(JSON.parse(String(attributes['gen_ai.output.messages']))).toEqual([text('assistant', 'Hello.')]);
  },
  120_000,
);
