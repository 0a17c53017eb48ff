import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const sse = (response: ServerResponse, events: readonly object[], isNamed: boolean): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) {
    if (isNamed) response.write(`event: ${(event as { type: string }).type}\n`);
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
  response.end(isNamed ? '' : 'data: [DONE]\n\n');
};

const chunk = (delta: object, finishReason: string | null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-test-2026',
  choices: [{ index: 0, delta, finish_reason: finishReason }],
});

const response = (status: string) => ({
  id: 'resp-1',
  object: 'response',
  model: 'gpt-test-2026',
  status,
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.', annotations: [] }] }],
  usage: { input_tokens: 9, output_tokens: 3, total_tokens: 12 },
});

const message = {
  id: 'msg-1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test-2026',
  content: [{ type: 'text', text: 'Hello.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 11, cache_read_input_tokens: 5, output_tokens: 4 },
};

/**
 * The APIs of OpenAI and Anthropic on a loopback port, with always the same answers. The model `limited` is answered with
 * 429, `gone` with a connection that breaks, `tool-test` with the wish to call the tool `weather`, once.
 */
export async function startModelServer(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, reply) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    const body = JSON.parse(text) as { model: string; stream?: boolean; messages?: { role: string }[] };
    const json = (answer: object, status = 200) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    if (body.model === 'gone') return request.socket.destroy();
    if (body.model === 'limited')
      return json({ error: { message: 'Too many.', type: 'rate_limit_error', code: 'rate_limit_exceeded' } }, 429);
    switch (request.url) {
      case '/v1/chat/completions': {
        const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
        if (body.stream === true) {
          const last = { ...chunk({}, null), choices: [], usage };
          return sse(
            reply,
            [
              chunk({ role: 'assistant', content: 'Hel' }, null),
              chunk({ content: 'lo.' }, null),
              chunk({}, 'stop'),
              last,
            ],
            false,
          );
        }
        if (body.model === 'tool-test' && !body.messages?.some(({ role }) => role === 'tool')) {
          const call = { id: 'call-1', type: 'function', function: { name: 'weather', arguments: '{}' } };
          const wish = { role: 'assistant', content: null, tool_calls: [call] };
          const choice = { index: 0, message: wish, finish_reason: 'tool_calls' };
          return json({ ...chunk({}, null), object: 'chat.completion', choices: [choice], usage });
        }
        const choice = { index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' };
        return json({ ...chunk({}, null), object: 'chat.completion', choices: [choice], usage });
      }
      case '/v1/responses':
        if (body.stream !== true) return json(response('completed'));
        return sse(
          reply,
          [
            { type: 'response.created', response: { ...response('in_progress'), usage: null } },
            { type: 'response.output_text.delta', delta: 'Hello.' },
            { type: 'response.completed', response: response('completed') },
          ],
          true,
        );
      case '/v1/embeddings':
        return json({
          object: 'list',
          model: 'embed-test-2026',
          data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25, 1] }],
          usage: { prompt_tokens: 5, total_tokens: 5 },
        });
      case '/v1/messages':
        if (body.stream !== true) return json(message);
        return sse(
          reply,
          [
            {
              type: 'message_start',
              message: { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } },
            },
            { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
            { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello.' } },
            { type: 'content_block_stop', index: 0 },
            {
              type: 'message_delta',
              delta: { stop_reason: 'end_turn', stop_sequence: null },
              usage: { output_tokens: 4 },
            },
            { type: 'message_stop' },
          ],
          true,
        );
      default:
        return json({ error: { message: 'There is nothing here.' } }, 404);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
