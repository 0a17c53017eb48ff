import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRunning } from './ask-running.ts';
import { backupRoute } from './backup-route.ts';
import type { RuntimeFile } from './runtime-file.ts';

const token = 'a'.repeat(64);
let server: Server;
let running: RuntimeFile;
const targets: string[] = [];

beforeEach(async () => {
  const route = backupRoute(async (to) => {
    targets.push(to);
  }, token);
  server = createServer((request, response) => void route(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running = { pid: process.pid, page: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token };
  targets.length = 0;
});

afterEach(() => {
  server.close();
});

test('has the running process write the backup', async () => {
  expect(await askRunning(running, '/some/folder')).toEqual({ status: 200, text: 'ok' });
  expect(targets).toEqual(['/some/folder']);
});

test("passes on the process's own words when it refuses", async () => {
  const answer = await askRunning({ ...running, token: 'b'.repeat(64) }, '/some/folder');
  expect(answer).toEqual({ status: 403, text: 'The token is missing or wrong.' });
  expect(targets).toEqual([]);
});

test('takes a port where nobody listens for a process that has died', async () => {
  await new Promise((resolve) => server.close(resolve));
  expect(await askRunning(running, '/some/folder')).toBeUndefined();
});
