import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';
import { hasOpenssl, makeCertificate } from '../testing/self-signed.ts';

beforeAll(buildPackage, 120_000);

describe.skipIf(!hasOpenssl)('https, which needs openssl to make a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-https-'));
  const { key, cert } = hasOpenssl ? makeCertificate(folder) : { key: '', cert: '' };

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('servers and clients have spans like http ones', async () => {
    const sink = await new OtlpSink().listen();
    const app = new App({
      file: 'app.mjs',
      source: `import https from 'node:https'; import { readFileSync } from 'node:fs';
        const cert = readFileSync('${cert}');
        const server = https.createServer({ key: readFileSync('${key}'), cert }, (request, response) => response.end('ok'));
        server.listen(0, '127.0.0.1', () => https.get({ host: '127.0.0.1', port: server.address().port, path: '/x?y=1', ca: cert }, (response) => { response.resume(); response.on('end', () => server.close()); }));`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    await sink.close();
    const [server, client] = [sink.spans.find(({ kind }) => kind === 2), sink.spans.find(({ kind }) => kind === 3)];
    expect(server).toMatchObject({
      parentSpanId: client?.spanId,
      attributes: { 'url.scheme': 'https', 'url.path': '/x' },
    });
    expect(client?.attributes['url.full']).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/x\?y=1$/);
  });

  test('telemetry goes to an https collector, by process.exit too', async () => {
    const paths: string[] = [];
    const collector = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      paths.push(request.url ?? '');
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_METRICS_EXPORTER: 'none',
    };
    const source = (end: string) =>
      `import { trace } from '@opentelemetry/api'; trace.getTracer('a').startSpan('b').end(); ${end}`;
    for (const end of ['', 'process.exit();']) {
      const app = new App({
        file: 'app.mjs',
        source: source(end),
        env: { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: cert },
      });
      await app.exited;
      expect(app.stderr).toBe('');
    }
    expect(paths).toEqual(['/v1/traces', '/v1/traces']);
    const untrusting = new App({ file: 'app.mjs', source: source(''), env });
    await untrusting.exited;
    expect(untrusting.stderr).toMatch(
      /certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. .*OTEL_EXPORTER_OTLP_CERTIFICATE/,
    );
    collector.closeAllConnections();
    collector.close();
  });
});
