import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { zipkinReceiverFactory } from './zipkin-receiver.ts';

test('spans are stored and answered with 202; what is no span, and pages, are refused', async () => {
  const sink = new RecordSink();
  const settings = settingsOf('endpoint: "localhost:0"');
  const blueprint = zipkinReceiverFactory.configure(settings);
  settings.finish();
  const component = blueprint.create(testContext(), sink.consumers);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const post = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const response = await fetch(`${component.addresses?.[0]?.address}/api/v2/spans`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return response.status;
  };
  const span = '[{"traceId":"5982fe77008310cc80f1da5e10147517","id":"bd7a977555f6b982","name":"get"}]';
  expect(await post(span)).toBe(202);
  expect(await post(Uint8Array.from(gzipSync(span)), { 'content-encoding': 'gzip' })).toBe(202);
  expect(sink.spans.map(({ name }) => name)).toEqual(['get', 'get']);
  expect(await post('{}')).toBe(400);
  expect(await post(span, { 'content-type': 'application/x-protobuf' })).toBe(415);
  expect(await post(span, { origin: 'http://evil.example' })).toBe(403);
  sink.respond = () => ({ rejected: 1, reason: 'too old' });
  expect(await post(span)).toBe(400);
});
