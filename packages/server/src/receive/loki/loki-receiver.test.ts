import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeSnappy } from '@signalbox/protocols';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { readConformanceFile } from '../testing/conformance-file.ts';
import { lokiReceiverFactory } from './loki-receiver.ts';

const FIXTURES = new URL('../../../../protocols/src/testing/go-clients.json', import.meta.url);
const lokiPush = Buffer.from((JSON.parse(readFileSync(FIXTURES, 'utf8')) as { lokiPush: string }).lokiPush, 'base64');

async function receiver(yaml = 'protocols: {http: {endpoint: "localhost:0"}}') {
  const sink = new RecordSink();
  const settings = settingsOf(yaml);
  const blueprint = lokiReceiverFactory.configure(settings);
  settings.finish();
  const component = blueprint.create(testContext({ now: () => 1_700_000_100_000 }), sink.consumers);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const address = component.addresses?.[0]?.address ?? '';
  const post = async (body: Uint8Array | string, headers: Record<string, string>) => {
    const response = await fetch(`${address}/loki/api/v1/push`, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers: { 'content-type': '', ...headers },
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { sink, component, address, post };
}

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const json = (line = 'x') => JSON.stringify({ streams: [{ stream: { job: 'a' }, values: [['1', line]] }] });

test('what Promtail’s library sends is stored and answered with 204', async () => {
  const { sink, post } = await receiver();
  expect(await post(lokiPush, PROTOBUF)).toMatchObject({ status: 204, text: '' });
  expect(sink.logs).toHaveLength(4);
  expect(sink.logs[0]).toMatchObject({
    traceId: '5b8efff798038103d269b633813fc60c',
    time: 1700000000123456789n,
    observedTime: 1700000100000000000n,
    resource: { service: 'backend' },
  });
});

test('refusals use statuses that clients of Loki understand', async () => {
  const { sink, post } = await receiver();
  sink.respond = () => ({ rejected: 1, reason: 'too old' });
  expect(await post(json(), { 'content-type': 'application/json' })).toMatchObject({
    status: 400,
    text: '1 entries were not stored: too old\n',
  });
  sink.respond = () => {
    throw new SignalboxError('resource_exhausted', 'busy', { retryAfterMs: 1_500 });
  };
  const busy = await post(json(), { 'content-type': 'application/json' });
  expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '2']);
  sink.respond = () => {
    throw new SignalboxError('unavailable', 'the disk is full');
  };
  expect((await post(json(), { 'content-type': 'application/json' })).status).toBe(503);
  const noLabels = '{"streams":[{"stream":{},"values":[]}]}';
  expect(await post(noLabels, { 'content-type': 'application/json' })).toMatchObject({
    status: 400,
    text: 'error at least one label pair is required per stream\n',
  });
});

test('web pages may not push', async () => {
  const { sink, post } = await receiver();
  expect((await post(lokiPush, { ...PROTOBUF, origin: 'http://evil.example' })).status).toBe(403);
  expect(sink.logs).toEqual([]);
});

test('what grows beyond the limit is refused, in every coding', async () => {
  const { post } = await receiver('protocols: {http: {endpoint: "localhost:0", max_request_body_size: 10KiB}}');
  const large = json('x'.repeat(20_000));
  const type = { 'content-type': 'application/json' };
  expect((await post(large, type)).status).toBe(413);
  expect((await post(gzipSync(large), { ...type, 'content-encoding': 'gzip' })).status).toBe(413);
  expect((await post(encodeSnappy(Buffer.from(large)), PROTOBUF)).status).toBe(413);
});

test('with page_port it answers on a server of others, and only its own path', async () => {
  const sink = new RecordSink();
  const component = lokiReceiverFactory.configure(settingsOf('page_port: true')).create(testContext(), sink.consumers);
  await component.start();
  const server = createServer((request, response) => {
    if (!component.handle?.(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (path: string) => fetch(url + path, { method: 'POST', body: lokiPush, headers: PROTOBUF });
  expect([(await post('/loki/api/v1/push')).status, (await post('/other')).status]).toEqual([204, 404]);
  expect(sink.logs).toHaveLength(4);
  await component.shutdown(100);
  expect((await post('/loki/api/v1/push')).status).toBe(503);
});

test('times may be those of arrival', async () => {
  const { sink, post } = await receiver(
    '{protocols: {http: {endpoint: "localhost:0"}}, use_incoming_timestamp: false}',
  );
  await post(json(), { 'content-type': 'application/json' });
  expect(sink.logs[0]?.time).toBe(1700000100000000000n);
});

test('a configuration that listens nowhere is refused', () => {
  expect(() => lokiReceiverFactory.configure(settingsOf('{}'))).toThrow('protocols::http');
  expect(() => lokiReceiverFactory.configure(settingsOf('protocols: {grpc: }'))).toThrow('not supported');
});

interface PushCase {
  readonly body: string | { readonly $call: string; readonly args: readonly unknown[] };
  readonly contentType: string;
  readonly contentEncoding?: string;
  readonly valid: boolean;
  readonly $line: number;
}

const cases = readConformanceFile('logql/http_push_and_response.json');

describe.skipIf(cases === null)('Loki’s own cases of push requests', () => {
  const { push_requests } = JSON.parse(cases ?? '{"push_requests":[]}') as { push_requests: PushCase[] };
  // Bodies that the cases describe as Go calls, as far as they are a text in some coding; "deflate" of HTTP is zlib's form.
  const bodyOf = ({ body }: PushCase): string | Uint8Array | null => {
    if (typeof body === 'string') return body;
    const [text] = body.args;
    if (typeof text !== 'string') return null;
    return body.$call === 'gzipString' ? gzipSync(text) : body.$call === 'deflateString' ? deflateSync(text) : null;
  };
  const usable = push_requests.filter((found) => bodyOf(found) !== null);

  it('are there', () => expect(usable.length).toBeGreaterThan(20));

  it.each(usable)('line $$line: $contentType $contentEncoding', async (found) => {
    const { post, sink } = await receiver();
    const { status } = await post(bodyOf(found) ?? '', {
      'content-type': found.contentType,
      ...(found.contentEncoding ? { 'content-encoding': found.contentEncoding } : {}),
    });
    expect(status).toBe(found.valid ? 204 : 400);
    expect(sink.logs.length > 0).toBe(found.valid);
  });
});
