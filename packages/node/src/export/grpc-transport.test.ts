import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpGrpcSink } from '../testing/otlp-grpc-sink.ts';
import { hasOpenssl, makeCertificate } from '../testing/self-signed.ts';
import { GrpcTransport } from './grpc-transport.ts';
import type { OtlpDestination } from './otlp-destination.ts';

let sink: OtlpGrpcSink;
const closing: (() => void)[] = [];
beforeAll(buildPackage, 120_000);
beforeEach(async () => {
  sink = await new OtlpGrpcSink().listen();
});
afterEach(() => {
  sink.close();
  for (const close of closing.splice(0)) close();
});

function transport(overrides: Partial<OtlpDestination> = {}): GrpcTransport {
  const made = new GrpcTransport({
    signal: 'TRACES',
    url: `${sink.url}/opentelemetry.proto.collector.trace.v1.TraceService/Export`,
    protocol: 'grpc',
    headers: {},
    compression: 'none',
    timeoutMillis: 2000,
    ...overrides,
  });
  closing.push(() => made.destroy());
  return made;
}

const empty = new Uint8Array(0);

/** `google.rpc.Status` with a RetryInfo of `seconds` and 250 ms in it, encoded by hand after error_details.proto. */
function retryInfo(seconds: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  // 250,000,000 as a varint: 0x80 0xe5 0x9a 0x77.
  const duration = Buffer.from([0x08, seconds, 0x10, 0x80, 0xe5, 0x9a, 0x77]);
  const any = [field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, field(1, duration))];
  return Buffer.concat([Buffer.from([0x08, 8]), field(3, Buffer.concat(any))]);
}

describe('the fate of a call', () => {
  test('an answer is an acceptance, with its message', async () => {
    sink.answer = (_call, done) => done(null, Buffer.from([0x0a, 0x02, 0x08, 0x03]));
    expect(await transport().post(empty, false)).toEqual({
      kind: 'accepted',
      body: Buffer.from([0x0a, 0x02, 0x08, 0x03]),
    });
  });

  test('headers are its metadata', async () => {
    sink.answer = (_call, done) => done(null, Buffer.alloc(0));
    await transport({ headers: { 'X-Api-Key': 'a b' } }).post(empty, false);
    expect(sink.calls[0]?.metadata.get('x-api-key')).toEqual(['a b']);
  });

  test.each([
    ['UNAVAILABLE', status.UNAVAILABLE, 'retryable'],
    ['CANCELLED', status.CANCELLED, 'retryable'],
    ['DEADLINE_EXCEEDED', status.DEADLINE_EXCEEDED, 'retryable'],
    ['ABORTED', status.ABORTED, 'retryable'],
    ['OUT_OF_RANGE', status.OUT_OF_RANGE, 'retryable'],
    ['DATA_LOSS', status.DATA_LOSS, 'retryable'],
    ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED, 'refused'],
    ['INVALID_ARGUMENT', status.INVALID_ARGUMENT, 'refused'],
    ['UNAUTHENTICATED', status.UNAUTHENTICATED, 'refused'],
    ['INTERNAL', status.INTERNAL, 'refused'],
  ])('%s', async (name, code, kind) => {
    sink.answer = (_call, done) => done({ code, details: 'größer' });
    expect(await transport().post(empty, false)).toMatchObject({ kind, problem: `it answered ${name}: größer` });
  });

  test('RESOURCE_EXHAUSTED with RetryInfo is tried again when that says', async () => {
    sink.answer = (_call, done) => {
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', retryInfo(2));
      done({ code: status.RESOURCE_EXHAUSTED, details: '', metadata });
    };
    expect(await transport().post(empty, false)).toMatchObject({ kind: 'retryable', retryAfterMillis: 2250 });
  });

  test('no answer', async () => {
    sink.answer = () => {};
    const outcome = await transport({ timeoutMillis: 100 }).post(empty, false);
    expect(outcome).toMatchObject({ kind: 'retryable', problem: 'no answer within 100 ms' });
  });

  test('nobody there', async () => {
    const { port } = sink;
    sink.close();
    expect(await transport({ url: `http://127.0.0.1:${port}/x` }).post(empty, false)).toMatchObject({
      kind: 'retryable',
      unreachable: true,
      problem: 'ECONNREFUSED',
    });
  });

  test('a server of HTTP/1.1 is named as such', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await transport({ url: `http://127.0.0.1:${port}/x` }).post(empty, false)).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('does not speak gRPC'),
      advice: expect.stringContaining('port 4317'),
    });
  });

  test('a connection that ended is made anew', async () => {
    const one = transport();
    await one.post(empty, false);
    const { port } = sink;
    sink.close();
    expect((await one.post(empty, false)).kind).toBe('retryable');
    sink = await new OtlpGrpcSink().listen(undefined, port);
    expect((await one.post(empty, false)).kind).toBe('accepted');
  });
});

describe('a process', () => {
  const source = `import { metrics, trace } from '@opentelemetry/api'; import { logs } from '@opentelemetry/api-logs';
    trace.getTracer('app').startSpan('job').end(); metrics.getMeter('app').createCounter('jobs').add(3);
    logs.getLogger('app').emit({ body: 'hello', severityNumber: 9 });`;
  const env = () => ({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
  });

  test.each([
    ['ends by itself, with gzip', ''],
    ['calls process.exit', 'process.exit(0);'],
  ])('delivers all signals when it %s', async (_name, end) => {
    const app = new App({ file: 'app.mjs', source: `${source}${end}`, env: env() });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stderr).toBe('');
    expect(sink.records.spans.map(({ name }) => name)).toEqual(['job']);
    expect(sink.records.point('jobs').value).toBe(3);
    expect(sink.records.logs.map(({ body }) => body)).toEqual(['hello']);
    expect(sink.calls[0]?.metadata.get('api-key')).toEqual(['secret']);
  });

  test.skipIf(!hasOpenssl)('over TLS, with the certificate that is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-grpc-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const { key, cert } = makeCertificate(folder);
    const pair = { private_key: readFileSync(key), cert_chain: readFileSync(cert) };
    const secure = await new OtlpGrpcSink().listen(ServerCredentials.createSsl(null, [pair]));
    closing.push(() => secure.close());
    const endpoint = { ...env(), OTEL_EXPORTER_OTLP_ENDPOINT: `127.0.0.1:${secure.port}` };
    for (const end of ['', 'process.exit(0);']) {
      const app = new App({
        file: 'app.mjs',
        source: `${source}${end}`,
        env: { ...endpoint, OTEL_EXPORTER_OTLP_CERTIFICATE: cert },
      });
      await app.exited;
      expect(app.stderr).toBe('');
    }
    expect(secure.records.spans.map(({ name }) => name)).toEqual(['job', 'job']);
    const untrusting = new App({ file: 'app.mjs', source, env: endpoint });
    await untrusting.exited;
    expect(untrusting.stderr).toContain('its certificate is not trusted');
  });
});
