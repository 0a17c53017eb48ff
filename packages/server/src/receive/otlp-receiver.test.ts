import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { otlpGrpcExporterFactory } from '../export/otlp/otlp-grpc-exporter.ts';
import { otlpHttpExporterFactory } from '../export/otlp/otlp-http-exporter.ts';
import { bearerTokenAuthFactory } from '../extend/bearer-token-auth.ts';
import type { Component } from '../pipeline/component.ts';
import { settingsOf, testContext } from '../pipeline/testing/component-context.ts';
import { logsOf, RecordSink, spansOf } from '../pipeline/testing/record-sink.ts';
import { otlpReceiverFactory } from './otlp-receiver.ts';

const spans = () =>
  spansOf({
    resourceSpans: [
      {
        scopeSpans: [
          { spans: [{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'a' }] },
        ],
      },
    ],
  });

async function started<C extends Component>(component: C): Promise<C> {
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  return component;
}

async function receiver(yaml: string) {
  const sink = new RecordSink();
  const settings = settingsOf(yaml);
  const blueprint = otlpReceiverFactory.configure(settings);
  settings.finish();
  const tokens = bearerTokenAuthFactory.configure(settingsOf('token: secret')).create(testContext());
  const serverAuthenticators = tokens.serverAuthenticator ? { tokens: tokens.serverAuthenticator } : {};
  const component = await started(
    blueprint.create(testContext({ serverAuthenticators }), { traces: sink.consumers.traces }),
  );
  const address = (protocol: string) =>
    component.addresses?.find((found) => found.protocol === protocol)?.address ?? '';
  return { sink, http: address('OTLP/HTTP'), grpc: address('OTLP/gRPC') };
}

const DIRECT = 'sending_queue: {enabled: false}\nretry_on_failure: {enabled: false}\n';

async function send(type: 'otlp' | 'otlphttp', yaml: string, token = 'secret') {
  const factory = type === 'otlp' ? otlpGrpcExporterFactory : otlpHttpExporterFactory;
  const tokens = bearerTokenAuthFactory.configure(settingsOf(`token: ${token}`)).create(testContext());
  const clientAuthenticators = tokens.clientAuthenticator ? { tokens: tokens.clientAuthenticator } : {};
  const exporter = await started(
    factory.configure(settingsOf(yaml + DIRECT)).create(testContext({ clientAuthenticators })),
  );
  return await exporter.consumers.traces?.consume(spans());
}

describe('with TLS', () => {
  let folder = '';
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

  beforeAll(() => {
    folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
    );
    for (const name of ['server', 'client']) {
      openssl(
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-out',
        `${name}.crt`,
        '-days',
        '2',
        '-copy_extensions',
        'copy',
      );
    }
  });

  const file = (name: string) => join(folder, name);
  const both = (more = '') => {
    const tls = `{cert_file: ${file('server.crt')}, key_file: ${file('server.key')}${more}}`;
    return `protocols: {grpc: {endpoint: "localhost:0", tls: ${tls}}, http: {endpoint: "localhost:0", tls: ${tls}}}\n`;
  };
  const trusting = (more = '') => `tls: {ca_file: ${file('ca.crt')}${more}}\n`;
  const identity = () => `, cert_file: ${file('client.crt')}, key_file: ${file('client.key')}`;

  test('records arrive over both transports, from whoever trusts the authority', async () => {
    const { sink, http, grpc } = await receiver(both());
    expect(http).toMatch(/^https:/);
    await send('otlphttp', `endpoint: ${http}\n${trusting()}`);
    await send('otlp', `endpoint: ${grpc}\n${trusting()}`);
    expect(sink.spans.map(({ name }) => name)).toEqual(['a', 'a']);
    await expect(send('otlphttp', `endpoint: ${http}\n`)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(send('otlp', `endpoint: ${grpc}\n`)).rejects.toMatchObject({ code: 'unavailable' });
    await send('otlphttp', `endpoint: ${http}\ntls: {insecure_skip_verify: true}\n`);
    expect(sink.spans).toHaveLength(3);
  });

  test('with client_ca_file only those with a certificate are heard', async () => {
    const { sink, http, grpc } = await receiver(both(`, client_ca_file: ${file('ca.crt')}`));
    await expect(send('otlphttp', `endpoint: ${http}\n${trusting()}`)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(send('otlp', `endpoint: ${grpc}\n${trusting()}`)).rejects.toMatchObject({ code: 'unavailable' });
    expect(sink.spans).toEqual([]);
    await send('otlphttp', `endpoint: ${http}\n${trusting(identity())}`);
    await send('otlp', `endpoint: ${grpc}\n${trusting(identity())}`);
    expect(sink.spans).toHaveLength(2);
  });

  test('older versions of TLS are not spoken', async () => {
    const { http } = await receiver(both(', min_version: "1.3"'));
    const { port } = new URL(http);
    const attempt = new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, ca: readFileSync(file('ca.crt')), maxVersion: 'TLSv1.2' }, resolve)
        .once('error', reject)
        .end();
    });
    await expect(attempt).rejects.toThrow(/protocol version|alert/i);
  });
});

describe('with an authenticator', () => {
  const yaml =
    'protocols: {grpc: {endpoint: "localhost:0", auth: {authenticator: tokens}}, http: {endpoint: "localhost:0", auth: {authenticator: tokens}}}\n';

  test.each(['otlphttp', 'otlp'] as const)('%s: whoever has the token is heard, nobody else', async (type) => {
    const { sink, http, grpc } = await receiver(yaml);
    const endpoint = type === 'otlp' ? `endpoint: ${grpc}\ntls: {insecure: true}\n` : `endpoint: ${http}\n`;
    await send(type, `${endpoint}auth: {authenticator: tokens}\n`);
    expect(sink.spans).toHaveLength(1);
    await expect(send(type, endpoint)).rejects.toMatchObject({ retryable: false });
    await expect(send(type, `${endpoint}auth: {authenticator: tokens}\n`, 'wrong')).rejects.toMatchObject({
      retryable: false,
    });
    expect(sink.spans).toHaveLength(1);
  });

  test('HTTP says how to ask again, before it reads the body', async () => {
    const { http } = await receiver(yaml);
    const response = await fetch(`${http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});

test('a signal without a pipeline is not there', async () => {
  const { http, grpc } = await receiver(
    'protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}',
  );
  const response = await fetch(`${http}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(404);
  expect(await response.text()).toContain('supported paths: /v1/traces');
  const exporter = await started(
    otlpGrpcExporterFactory
      .configure(settingsOf(`endpoint: ${grpc}\ntls: {insecure: true}\n${DIRECT}`))
      .create(testContext()),
  );
  const { logs } = exporter.consumers;
  await expect(logs?.consume(logsOf({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] }))).rejects.toMatchObject({
    code: 'unimplemented',
  });
});

test('signals are taken at the paths that the configuration names, and nowhere else', async () => {
  const { sink, http } = await receiver(
    'protocols: {http: {endpoint: "localhost:0", traces_url_path: in/spans, logs_url_path: /v1/traces}}',
  );
  await send('otlphttp', `endpoint: ${http}\ntraces_endpoint: ${http}/in/spans\n`);
  expect(sink.spans).toHaveLength(1);
  await expect(send('otlphttp', `endpoint: ${http}\n`)).rejects.toMatchObject({ retryable: false });
  const lost = await fetch(`${http}/v1/metrics`, { method: 'POST' });
  expect(lost.status).toBe(404);
  expect((await lost.text()).endsWith('not found, supported paths: /in/spans')).toBe(true);
});

test('pages of origins with a wildcard may send', async () => {
  const { http } = await receiver(
    'protocols: {http: {endpoint: "localhost:0", cors: {allowed_origins: ["https://*.shop.example"], max_age: 60}}}',
  );
  const preflight = (origin: string) =>
    fetch(`${http}/v1/traces`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
  const allowed = await preflight('https://www.shop.example');
  expect([allowed.status, allowed.headers.get('access-control-max-age')]).toEqual([204, '60']);
  expect((await preflight('https://shop.example.evil')).headers.get('access-control-allow-origin')).toBeNull();
});

test.each([
  ['{}', /must specify at least one protocol/],
  ['protocols: {grpc: {endpoint: 4317}}', /endpoint: "4317" is not an address/],
  [
    'protocols: {http: {tls: {cert_file: a, key_file: b, client_ca_fil: c}}}',
    /client_ca_fil: .*did you mean "client_ca_file"/,
  ],
  ['protocols: {http: {metrics_url_path: "/m?x=1"}}', /metrics_url_path: it is a path alone/],
  ['protocols: {http: {logs_url_path: v1/traces}}', /logs_url_path: traces_url_path is the same path/],
  ['protocols: {http: {tls: {ca_file: a}}}', /needs cert_file and key_file/],
])('%j is refused', (yaml, message) => {
  expect(() => {
    const settings = settingsOf(yaml);
    otlpReceiverFactory.configure(settings);
    settings.finish();
  }).toThrow(message);
});
