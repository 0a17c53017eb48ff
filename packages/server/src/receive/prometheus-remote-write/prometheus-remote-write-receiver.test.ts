import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { prometheusRemoteWriteReceiverFactory } from './prometheus-remote-write-receiver.ts';

const FIXTURES = new URL('../../../../protocols/src/testing/go-clients.json', import.meta.url);
const clients = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Record<string, string>;

async function receiver() {
  const sink = new RecordSink();
  const settings = settingsOf('endpoint: "localhost:0"');
  const blueprint = prometheusRemoteWriteReceiverFactory.configure(settings);
  settings.finish();
  const component = blueprint.create(testContext(), sink.consumers);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const write = (name: string, headers: Record<string, string>) =>
    fetch(`${component.addresses?.[0]?.address}/api/v1/write`, {
      method: 'POST',
      body: Uint8Array.from(Buffer.from(clients[name] ?? '', 'base64')),
      headers: { 'content-encoding': 'snappy', ...headers },
    });
  return { sink, write };
}

const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

test('both versions are stored, and 2.0 is told what was written', async () => {
  const { sink, write } = await receiver();
  const first = await write('remoteWrite1', { 'content-type': 'application/x-protobuf' });
  expect([first.status, first.headers.get('x-prometheus-remote-write-samples-written')]).toEqual([204, null]);
  const second = await write('remoteWrite2', { 'content-type': V2 });
  const written = (kind: string) => second.headers.get(`x-prometheus-remote-write-${kind}-written`);
  expect([second.status, written('samples'), written('histograms'), written('exemplars')]).toEqual([
    204,
    '1',
    '1',
    '1',
  ]);
  expect(sink.points).toHaveLength(6);
});

test('other types and encodings are 415, so that a sender falls back; malformed bytes are 400', async () => {
  const { sink, write } = await receiver();
  const unknown = 'application/x-protobuf;proto=io.prometheus.write.v3.Request';
  expect((await write('remoteWrite1', { 'content-type': unknown })).status).toBe(415);
  expect((await write('remoteWrite1', { 'content-type': 'application/json' })).status).toBe(415);
  expect((await write('remoteWrite1', { 'content-type': V2, 'content-encoding': 'identity' })).status).toBe(415);
  expect((await write('golang_text', { 'content-type': V2 })).status).toBe(400);
  expect(sink.points).toEqual([]);
});

test('what the store leaves out is 400 and not counted as written', async () => {
  const { sink, write } = await receiver();
  sink.respond = () => ({ rejected: 1, reason: 'too old' });
  const answer = await write('remoteWrite2', { 'content-type': V2 });
  expect([answer.status, answer.headers.get('x-prometheus-remote-write-samples-written')]).toEqual([400, '0']);
  expect(await answer.text()).toBe('1 points were not stored: too old\n');
});
