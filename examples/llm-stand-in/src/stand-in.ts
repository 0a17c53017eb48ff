import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTo, type ChatRequest, type Usage } from './answer.ts';

export interface StandInOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds until the first word; the rest takes as long again. */
  readonly latencyMs: number;
  /** Every so many-th request is answered with 429, as by a model that is asked too much; 0: none. */
  readonly limitEvery: number;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** `POST /v1/chat/completions`, at once or as a stream of events. */
export async function startStandIn(options: StandInOptions): Promise<{ url: string; close(): Promise<void> }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const isLimited = options.limitEvery > 0 && requests % options.limitEvery === 0;
    answer(request, response, options.latencyMs, isLimited).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}/v1`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  latencyMs: number,
  isLimited: boolean,
): Promise<void> {
  const body = await readBody(request);
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions')
    return refuse(response, 404, 'not_found_error', 'There is nothing here.');
  if (isLimited) return refuse(response, 429, 'rate_limit_error', 'Too many requests.', { 'retry-after-ms': '20' });
  const asked = parse(body);
  if (asked === undefined) return refuse(response, 400, 'invalid_request_error', 'A model and messages are required.');
  await sleep(latencyMs);
  const { text, usage } = answerTo(asked);
  const id = `chatcmpl-${Math.random().toString(36).slice(2, 12)}`;
  const head = { id, created: Math.floor(Date.now() / 1000), model: asked.model };
  if (asked.stream === true) return await stream(response, head, text, usage, latencyMs);
  await sleep(latencyMs);
  const choice = { index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop' };
  reply(response, 200, { ...head, object: 'chat.completion', choices: [choice], usage });
}

async function stream(
  response: ServerResponse,
  head: object,
  text: string,
  usage: Usage,
  latencyMs: number,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (part: object) =>
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...part })}\n\n`);
  const words = text.split(/(?<= )/);
  for (const content of words) {
    send({ choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] });
    await sleep(latencyMs / words.length);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}

function parse(body: string): ChatRequest | undefined {
  try {
    const asked = JSON.parse(body) as Partial<ChatRequest> | null;
    return typeof asked?.model === 'string' && Array.isArray(asked.messages) ? (asked as ChatRequest) : undefined;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new Error('the request is too large');
  }
  return body;
}

function refuse(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  reply(response, status, { error: { message, type, param: null, code: null } });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
