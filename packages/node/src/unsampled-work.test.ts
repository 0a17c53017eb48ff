// Work costs what it is good for: of an unsampled trace, with metrics off, no surface makes attributes.
import { tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, expect, test, vi } from 'vitest';
import { builtInInstrumentations } from './built-in-instrumentations.ts';
import { StatementCache } from './database/sql/read-statement.ts';
import { traced } from './functions/traced.ts';
import type { Instrumentation } from './instrumentation.ts';
import { scheduledJob } from './jobs/scheduled-job.ts';
import { observeQueue } from './messaging/observe-queue.ts';
import { observeStore } from './stores/observe-store.ts';
import { record } from './testing/record.ts';
import { observeBroadcast } from './websocket/observe-websocket-server.ts';

afterEach(() => void vi.restoreAllMocks());

const traceId = 'a'.repeat(32);
const spanId = 'b'.repeat(16);

/** As libraries announce what they do. */
const announced = (channel: string, message: object) => () =>
  tracingChannel(channel).tracePromise(async () => [], message);

const request = (method: 'GET' | 'POST') => async (flags: string) => {
  const server = http.createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const headers = { traceparent: `00-${traceId}-${spanId}-${flags}` };
  const sent = http.request({ port, method, headers, agent: false, path: '/users/7?q=1' }).end();
  const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  server.close();
  await once(server, 'close');
};

const queue = observeQueue<object>({ name: 'orders' });
const store = observeStore(new Map([['a', 1]]), { namespace: 'app:kv', keys: true });

/** Each by the instrumentation whose work it is. */
const uses: Readonly<Record<string, (flags: string) => unknown>> = {
  functions: traced(() => {}, { name: 'app.api:hello' }),
  kv: () => store.get('a'),
  queues: () => queue.publish({}, (message) => queue.process(message, () => {})),
  jobs: scheduledJob('nightly', () => {}),
  websocket: () => observeBroadcast({ room: 'lobby', sender: 'ann', recipients: 2 }, () => {}),
  mysql2: announced('mysql2:query', { query: 'SELECT * FROM users', database: 'test' }),
  ioredis: announced('ioredis:command', { command: 'get', args: ['?'], database: 0 }),
  redis: announced('node-redis:command', { command: 'GET', args: ['GET', '?'], database: 0 }),
  'http-server': request('GET'),
  'http-client': request('POST'),
};

/** How often attributes are made, and statements read, while `use` works under a parent with these flags. */
async function workOf(name: string, use: (flags: string) => unknown, traceFlags: 0 | 1): Promise<number> {
  const read = vi.spyOn(StatementCache.prototype, 'get').mockClear();
  let made = 0;
  const counted: Instrumentation[] = builtInInstrumentations
    .filter((each) => each.name === name)
    .map(({ name, enable }) => ({
      name,
      enable: (given) =>
        enable({
          ...given,
          startSpan: ({ attributes, ...start }) =>
            given.startSpan({
              ...start,
              ...(attributes && {
                attributes: () => {
                  made += 1;
                  return attributes();
                },
              }),
            }),
        }),
    }));
  expect(counted, name).toHaveLength(1);
  const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  await record(counted, () => context.with(parent, () => use(`0${traceFlags}`)), {
    metrics: false,
    logs: false,
    // Jobs begin traces of their own.
    sampling: { ratio: traceFlags },
  });
  return made + read.mock.calls.length;
}

test.each(Object.entries(uses))('%s makes no attributes of an unsampled trace', async (name, use) => {
  // What is there to be spared.
  expect(await workOf(name, use, 1)).toBeGreaterThan(0);
  expect(await workOf(name, use, 0)).toBe(0);
});
