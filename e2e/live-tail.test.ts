import type { LogRecord } from '@signalbox/api-contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logsRequest, post } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

let signalbox: SignalboxProcess;
beforeAll(async () => {
  signalbox = await new SignalboxProcess().start();
});
afterAll(async () => {
  await signalbox?.dispose();
});

test('a live tail shows a matching record as soon as it is durable, and nothing else', async () => {
  const stop = new AbortController();
  const response = await fetch(`${signalbox.page}/api/signalbox/logs/tail?service=shop&severity=INFO`, {
    signal: stop.signal,
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  await post(signalbox.otlpHttp, 'logs', logsRequest('elsewhere', ['not this one']));
  await post(signalbox.otlpHttp, 'logs', logsRequest('shop', ['this one\nwith two lines']));
  let text = '';
  while (!text.includes('event: log')) text += (await reader?.read())?.value ?? '';
  while (!text.endsWith('\n\n')) text += (await reader?.read())?.value ?? '';
  const [, data = ''] = /event: log\ndata: (.*)\n/.exec(text) ?? [];
  const record = JSON.parse(data) as LogRecord;
  expect(record).toMatchObject({
    service: 'shop',
    severity: 'INFO',
    body: { stringValue: 'this one\nwith two lines' },
  });
  expect(text).not.toContain('not this one');
  stop.abort();
});

test('SIGTERM ends open tails at once', async () => {
  const response = await fetch(`${signalbox.page}/api/signalbox/logs/tail`);
  const end = response.text().catch(() => 'cut');
  const { code, elapsedMs } = await signalbox.child.stop();
  expect(code).toBe(0);
  expect(elapsedMs).toBeLessThan(5000);
  await end;
});
