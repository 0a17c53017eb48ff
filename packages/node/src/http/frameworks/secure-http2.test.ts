import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { installPackages } from '../../testing/install-packages.ts';
import { OtlpSink } from '../../testing/otlp-sink.ts';
import { hasOpenssl, makeCertificate } from '../../testing/self-signed.ts';

beforeAll(buildPackage, 120_000);

interface SecureApp {
  readonly framework: string;
  /** Has `tls`, with which it takes HTTP/2 and HTTP/1.1 on the same port. */
  readonly source: string;
  /** What the repository does not have. */
  readonly installed?: Readonly<Record<string, string>>;
}

const listen = "server.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));";
const expressRoutes = `
app.get('/users/:id', (request, response) => response.send('user ' + request.params.id));
app.get('/throws', () => { throw new TypeError('boom'); });
const server = http2.createSecureServer(tls, app); ${listen}`;

const apps: readonly SecureApp[] = [
  {
    framework: 'node:http2',
    source: `
const { setRoute } = require('@signalbox/node');
const server = http2.createSecureServer(tls, (request, response) => {
  const [, first, second] = request.url.split('/');
  setRoute(first === 'users' ? '/users/:id' : '/throws');
  if (first !== 'users') response.statusCode = 500;
  response.end('user ' + second);
}); ${listen}`,
  },
  {
    framework: 'fastify',
    source: `
const app = require('fastify')({ http2: true, https: tls });
app.get('/users/:id', async (request) => 'user ' + request.params.id);
app.get('/throws', async () => { throw new TypeError('boom'); });
const { server } = app;
app.listen({ port: 0, host: '127.0.0.1' }, () => console.log('port=' + server.address().port));`,
  },
  {
    framework: 'nestjs on fastify',
    source: `
require('reflect-metadata');
const { NestFactory } = require('@nestjs/core');
const { Controller, Get, Module, Param } = require('@nestjs/common');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
class Service { user(id) { return 'user ' + id; } throws() { throw new TypeError('boom'); } }
const of = (name) => [Service.prototype, name, Object.getOwnPropertyDescriptor(Service.prototype, name)];
Controller()(Service); Get('users/:id')(...of('user')); Param('id')(Service.prototype, 'user', 0); Get('throws')(...of('throws'));
class Application {}
Module({ controllers: [Service] })(Application);
NestFactory.create(Application, new FastifyAdapter({ http2: true, https: tls }), { logger: false }).then(async (app) => {
  await app.listen(0, '127.0.0.1');
  console.log('port=' + app.getHttpServer().address().port);
});`,
  },
  {
    framework: 'express 4 by http2-express-bridge',
    installed: { express: '4', 'http2-express-bridge': '1' },
    source: `const express = require('express'); const app = require('http2-express-bridge')(express); ${expressRoutes}`,
  },
  {
    framework: 'express 5 by http2-express',
    installed: { express: '5', 'http2-express': '1' },
    source: `const express = require('express'); const app = require('http2-express')(express); ${expressRoutes}`,
  },
];

const setup = "import { start } from '@signalbox/node'; start({ http: { requestLog: true } });";
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const folder = mkdtempSync(join(tmpdir(), 'signalbox-http2-'));
const removals = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(() => {
  for (const remove of removals) remove();
});

interface SecureCase extends SecureApp {
  readonly nodeModules?: string;
  /** Why it is left out. */
  readonly missing?: string;
}

const cases: SecureCase[] = [];
for (const app of apps) {
  if (app.installed === undefined || !isFull) {
    // One is enough for the quick tier, which installs nothing.
    cases.push(isFull || app.framework === 'node:http2' ? app : { ...app, missing: 'long tier' });
    continue;
  }
  const { nodeModules, reason, remove } = await installPackages(app.installed);
  removals.push(remove);
  cases.push(nodeModules === undefined ? { ...app, missing: `not installed: ${reason}` } : { ...app, nodeModules });
}

describe.skipIf(!hasOpenssl)(
  'one port for HTTP/2 and HTTP/1.1 over TLS, which needs openssl to make a certificate',
  () => {
    const { key, cert } = hasOpenssl ? makeCertificate(folder) : { key: '', cert: '' };

    for (const { framework, source, nodeModules, missing } of cases)
      test.skipIf(missing !== undefined)(
        missing === undefined ? framework : `${framework} (${missing})`,
        async () => {
          const sink = await new OtlpSink().listen();
          const app = new App({
            file: 'app.cjs',
            source: `
const http2 = require('node:http2');
const { readFileSync } = require('node:fs');
const tls = { allowHTTP1: true, key: readFileSync('${key}'), cert: readFileSync('${cert}') };
process.on('SIGTERM', () => process.exit());
${source}`,
            files: { 'setup.mjs': setup },
            nodeArguments: ['--import', './setup.mjs'],
            env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, NODE_ENV: 'test' },
            ...(nodeModules !== undefined && { nodeModules }),
          });
          const port = await app.port();
          const ca = readFileSync(cert);
          const answers = [
            await askHttp2(port, ca, '/users/2'),
            await askHttp2(port, ca, '/throws'),
            await askHttp1(port, ca, '/users/1'),
            await askHttp1(port, ca, '/throws'),
          ];
          await app.stop();
          await sink.close();
          expect(answers).toEqual([
            [200, 'user 2'],
            [500, expect.any(String)],
            [200, 'user 1'],
            [500, expect.any(String)],
          ]);
          // As the servers of HTTP/2 and of HTTP/1.1 have scopes of their own.
          const expected = [
            ['/users/:id', '2', 200, 0],
            ['/throws', '2', 500, 2],
            ['/users/:id', '1.1', 200, 0],
            ['/throws', '1.1', 500, 2],
          ] as const;
          const spans = sink.spans.filter(({ kind }) => kind === 2);
          expect(
            spans.map(({ name, status, attributes }) => [
              ...[name, attributes['http.route'], attributes['network.protocol.version'], attributes['url.scheme']],
              ...[attributes['http.response.status_code'], status.code],
            ]),
          ).toEqual(
            expected.map(([route, version, status, code]) => [`GET ${route}`, route, version, 'https', status, code]),
          );
          const lines = sink.logs.filter(({ body }) => body === 'request');
          expect(lines.map(({ spanId, attributes: { route, status } }) => [spanId, route, status])).toEqual(
            spans.map(({ spanId }, index) => [spanId, expected[index]?.[0], expected[index]?.[2]]),
          );
          for (const [route, version, status] of expected) {
            const about = {
              'http.route': route,
              'network.protocol.version': version,
              'http.response.status_code': status,
            };
            expect(sink.point('http.server.request.duration', about).count).toBe(1);
          }
        },
        30_000,
      );
  },
);

async function askHttp2(port: number, ca: Buffer, path: string): Promise<[number, string]> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca });
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpStatusHeader];
  const text = await textOf(stream);
  session.close();
  return [headers[':status'] ?? 0, text];
}

async function askHttp1(port: number, ca: Buffer, path: string): Promise<[number, string]> {
  const [response] = await once(https.get({ host: '127.0.0.1', port, ca, path, agent: false }), 'response');
  return [response.statusCode, await textOf(response)];
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}
