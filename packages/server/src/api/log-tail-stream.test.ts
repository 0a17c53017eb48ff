import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogTail } from '../query/logs/log-tail.ts';
import { heartbeatMs, streamLogTail } from './log-tail-stream.ts';

/** As much of a response as the stream uses; `writableLength` is what the client has not read. */
class Client extends EventEmitter {
  writableLength = 0;
  destroyed = false;
  readonly written: string[] = [];

  writeHead(): void {}

  write(text: string): void {
    this.written.push(text);
  }

  end(): void {}

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const conditions = { words: [], severities: [], filters: [] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(tail: LogTail): { client: Client; ended: Promise<void> } {
  const client = new Client();
  const response = client as unknown as ServerResponse;
  return { client, ended: streamLogTail(tail, conditions, response, new AbortController().signal) };
}

test('a client that reads keeps its tail, however slowly', async () => {
  const { client } = open(new LogTail());
  for (let minute = 0; minute < 10; minute++) {
    client.writableLength = 2 ** 24;
    await vi.advanceTimersByTimeAsync(3 * heartbeatMs);
    client.writableLength = 0;
    await vi.advanceTimersByTimeAsync(heartbeatMs);
  }
  expect(client.destroyed).toBe(false);
  expect(client.written.filter((text) => text === ':\n\n')).toHaveLength(10);
  client.destroy();
});

test('clients that stopped reading do not keep others out', async () => {
  const tail = new LogTail();
  const stuck = Array.from({ length: 32 }, () => open(tail));
  await expect(open(tail).ended).rejects.toMatchObject({ code: 'resource_exhausted' });
  for (const { client } of stuck) client.writableLength = 2 ** 24;
  await vi.advanceTimersByTimeAsync(5 * heartbeatMs);
  await Promise.all(stuck.map(({ ended }) => ended));
  const { client, ended } = open(tail);
  client.destroy();
  await ended;
});
