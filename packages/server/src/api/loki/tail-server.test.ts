import { once } from 'node:events';
import { decodeLokiJson } from '@signalbox/protocols';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { LokiServer } from './testing/loki-server.ts';

interface Message {
  streams: { stream: Record<string, string>; values: [string, string, object?][] }[];
  encodingFlags?: string[];
  dropped_entries?: { labels: object; timestamp: string }[];
  dropped_count?: number;
}

let server: LokiServer;
beforeAll(async () => {
  server = await LokiServer.open();
}, 30_000);
afterAll(async () => await server.close());

const nowNs = () => BigInt(Date.now()) * 1_000_000n;

class Client {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];

  constructor(query: string, headers: Record<string, string> = {}) {
    const url = `${server.url.replace('http', 'ws')}/loki/api/v1/tail?${new URLSearchParams({ query })}`;
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Message));
  }

  get lines(): string[] {
    return this.messages.flatMap(({ streams }) => streams.flatMap(({ values }) => values.map(([, line]) => line)));
  }

  get dropped(): number {
    return this.messages.reduce((sum, { dropped_count = 0 }) => sum + dropped_count, 0);
  }
}

test('lines that came before, then those that come, through the pipeline', async () => {
  await server.push([{ stream: { app: 'tail' }, values: [[String(nowNs() - 5_000_000_000n), 'level=info before']] }]);
  const client = new Client('{app="tail"} | logfmt | level="info"', {
    'x-loki-response-encoding-flags': 'categorize-labels',
  });
  await once(client.socket, 'open');
  await vi.waitFor(() => expect(client.lines).toEqual(['level=info before']), { timeout: 10_000 });
  await server.push([
    {
      stream: { app: 'tail' },
      values: [
        [String(nowNs()), 'level=info now'],
        [String(nowNs()), 'level=debug now'],
      ],
    },
    { stream: { app: 'other' }, values: [[String(nowNs()), 'level=info other']] },
  ]);
  await vi.waitFor(() => expect(client.lines).toEqual(['level=info before', 'level=info now']), { timeout: 10_000 });
  expect(client.messages.at(-1)).toMatchObject({
    encodingFlags: ['categorize-labels'],
    streams: [
      { stream: { app: 'tail' }, values: [[expect.any(String), 'level=info now', { parsed: { level: 'info' } }]] },
    ],
  });
  client.socket.terminate();
});

test('a slow reader misses lines and is told how many; nobody else waits', { timeout: 300_000 }, async () => {
  const slow = new Client('{app="busy"}');
  const fast = new Client('{app="busy"}');
  await Promise.all([once(slow.socket, 'open'), once(fast.socket, 'open')]);
  slow.socket.pause();
  const batches = 60;
  const line = 'x'.repeat(500);
  let published = 0;
  for (let batch = 0; batch < batches; batch++) {
    const values = Array.from({ length: 1000 }, (_, i) => [String(nowNs() + BigInt(i)), `${batch * 1000 + i} ${line}`]);
    const streams = [{ stream: { app: 'busy' }, values }];
    server.logTail.publish(decodeLokiJson(Buffer.from(JSON.stringify({ streams }))));
    published += values.length;
    await vi.waitFor(() => expect(fast.lines.length + fast.dropped).toBe(published), { timeout: 60_000 });
  }
  expect(fast.dropped).toBe(0);
  slow.socket.resume();
  await vi.waitFor(() => expect(slow.lines.length + slow.dropped).toBe(published), { timeout: 60_000 });
  expect(slow.dropped).toBeGreaterThan(0);
  const named = slow.messages.find(({ dropped_entries = [] }) => dropped_entries.length > 0)?.dropped_entries ?? [];
  expect(named[0]).toEqual({ labels: { app: 'busy' }, timestamp: expect.stringMatching(/^\d{19}$/) as string });
  slow.socket.terminate();
  fast.socket.terminate();
});

test('what is no query of logs is refused before the handshake', async () => {
  const client = new Client('rate({app="a"}[1m])');
  const [error] = (await once(client.socket, 'error')) as [Error];
  expect(error.message).toContain('400');
});
