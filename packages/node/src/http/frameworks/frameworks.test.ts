import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { App, buildPackage, packageFolder } from '../../testing/child.ts';
import {
  bundledSource,
  type FrameworkApp,
  frameworkApps,
  frameworkSource,
  installedFrameworkApps,
  type ModuleSystem,
} from '../../testing/framework-apps.ts';
import { installPackages } from '../../testing/install-packages.ts';
import { otherNodes, type TestNode } from '../../testing/nodes.ts';
import { OtlpSink, type SinkSpan } from '../../testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

const systems: readonly ModuleSystem[] = ['esm', 'cjs', 'tsx', 'esbuild'];
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const thisNode: TestNode = {
  name: `Node ${process.versions.node}`,
  execPath: process.env.SIGNALBOX_TEST_NODE ?? process.execPath,
};

interface Case {
  readonly app: FrameworkApp;
  readonly system: ModuleSystem;
  readonly node: TestNode;
}

interface Installed {
  readonly app: FrameworkApp;
  /** Why it cannot be tried. */
  readonly missing?: string;
  readonly nodeModules?: string;
}

/** SIGNALBOX_TEST_FRAMEWORKS chooses by a part of the name. */
const chosen = ({ framework }: FrameworkApp): boolean =>
  framework.includes(process.env.SIGNALBOX_TEST_FRAMEWORKS ?? '');
const removals: (() => void)[] = [];
afterAll(() => removals.map((remove) => remove()));

/** Other versions than the repository's own, which the long tier installs for as long as it runs. */
async function installed(): Promise<readonly Installed[]> {
  const apps: Installed[] = [];
  for (const app of installedFrameworkApps.filter(chosen)) {
    const { nodeModules, reason, remove } = await installPackages(app.installed ?? {});
    removals.push(remove);
    apps.push(nodeModules === undefined ? { app, missing: reason } : { app, nodeModules });
  }
  return apps;
}

/** The newest of each framework under one module system each. In the full tier all of them under all, with every Node. */
const matrix: readonly (Case & Installed)[] = isFull
  ? await fullMatrix()
  : frameworkApps
      .filter(({ isRare }) => isRare !== true)
      .map((app, index) => ({ app, system: systems[index % systems.length] as ModuleSystem, node: thisNode }));

async function fullMatrix(): Promise<readonly (Case & Installed)[]> {
  const apps = [...frameworkApps.filter(chosen).map((app) => ({ app })), ...(await installed())];
  return [thisNode, ...otherNodes()].flatMap((node) =>
    apps.flatMap((app) => systems.map((system) => ({ ...app, system, node }))),
  );
}

const files = { esm: 'app.mjs', cjs: 'app.cjs', tsx: 'app.mts', esbuild: 'app.cjs' } as const;

for (const { app: framework, system, node, missing, nodeModules } of matrix) {
  const name = `${framework.framework}${missing === undefined ? '' : ` (not installed: ${missing})`}`;
  describe.skipIf(node.execPath === undefined || missing !== undefined)(`${name}, ${system}, ${node.name}`, () => {
    const sink = new OtlpSink();
    const answers = new Map<string, Answer>();

    const servers = (): SinkSpan[] =>
      sink.spans.filter(({ kind, scope }) => kind === 2 && scope !== '@signalbox/node/websocket');
    let echo: string | undefined;

    const byPath = (path: string): SinkSpan => {
      const found = servers().filter(({ attributes }) => attributes['url.path'] === path);
      expect(found, path).toHaveLength(1);
      return found[0] as SinkSpan;
    };

    beforeAll(async () => {
      await sink.listen();
      const app = await start(framework, system, node, sink, nodeModules);
      const port = await app.port();
      const release = (): void => void app.process.kill('SIGUSR2');
      const client = framework.isHttp2 === true ? http2Client(port) : http1Client(port);
      for (const [method, path, body] of [
        ['GET', '/'],
        ['GET', '/users/7?token=secret'],
        ['GET', '/api/v1/items/9'],
        ['GET', '/throws'],
        ['GET', '/refused/3'],
        ['POST', '/echo', 'x'.repeat(100_000)],
        ['GET', '/events'],
        ['GET', '/nothing/here'],
      ] as const)
        answers.set(path, await client.ask(method, path, body, path === '/events' ? release : () => {}));
      if (framework.isHttp2 !== true) echo = await echoed(port, 'hello');
      await client.abandon('/never');
      client.close();
      await vi.waitFor(() => byPath('/never'), { timeout: 10_000 });
      await app.stop();
      expect(
        app.stderr.replaceAll(/^.*(ExperimentalWarning|--trace-warnings|DEP0066|--trace-deprecation).*\n/gm, ''),
      ).toBe('');
    }, 60_000);
    afterAll(() => sink.close());

    test('answers as it does without us', () => {
      expect(Object.fromEntries([...answers].map(([path, { status, text }]) => [path, [status, text]]))).toMatchObject({
        '/': [200, 'root'],
        '/users/7?token=secret': [200, 'user 7'],
        '/api/v1/items/9': [200, 'v1 9'],
        '/throws': [500, expect.any(String)],
        '/refused/3': [403, expect.stringContaining('not you')],
        '/echo': [200, '100000'],
        '/events': [200, 'data: 1\n\ndata: 2\n\n'],
        '/nothing/here': [404, expect.any(String)],
      });
      expect(answers.get('/events')?.chunks).toBe(2);
    });

    test('has one span for each request, named by method and whole template', () => {
      expect(servers().map(({ name, attributes }) => [name, attributes['http.route']])).toEqual([
        ['GET /', '/'],
        ['GET /users/:id', '/users/:id'],
        ['GET /api/:version/items/:item', '/api/:version/items/:item'],
        ['GET /throws', '/throws'],
        ['GET /refused/:id', '/refused/:id'],
        ['POST /echo', '/echo'],
        ['GET /events', '/events'],
        ['GET', undefined],
        ['GET /never', '/never'],
      ]);
      expect(answers.get('/users/7?token=secret')?.traceId).toBe(byPath('/users/7').traceId);
    });

    test.skipIf(framework.isHttp2 === true)('lets connections be upgraded, and traces what comes over them', () => {
      expect(echo).toBe('hello');
      const message = sink.span('websocket.message');
      expect(sink.span('socket')).toMatchObject({ traceId: message.traceId, parentSpanId: message.spanId });
    });

    test('gives the metric the same routes', () => {
      const routes = new Set(
        sink.points
          .filter(({ metric }) => metric === 'http.server.request.duration')
          .map(({ attributes }) => `${attributes['http.request.method']} ${attributes['http.route'] ?? ''}`.trim()),
      );
      expect(routes).toEqual(new Set(servers().map(({ name }) => name)));
    });

    test('writes a line for each request into its trace', () => {
      const lines = sink.logs.filter(({ body }) => body === 'request');
      expect(
        lines.map(({ traceId, spanId, severityText, attributes: { method, route, status } }) => [
          ...[traceId, spanId, severityText, method, route, status],
        ]),
      ).toEqual(
        servers().map(({ traceId, spanId, attributes }) => [
          traceId,
          spanId,
          attributes['url.path'] === '/throws' ? 'ERROR' : 'INFO',
          attributes['http.request.method'],
          attributes['http.route'],
          attributes['http.response.status_code'],
        ]),
      );
    });

    test('calls 5xx an error and 4xx none, and records what was thrown', () => {
      expect(byPath('/throws')).toMatchObject({
        status: { code: 2, message: 'panic' },
        attributes: { 'http.response.status_code': 500, 'error.type': '500' },
        events: [
          {
            name: 'exception',
            attributes: {
              'exception.type': 'TypeError',
              'exception.message': 'boom',
              'exception.stacktrace': expect.stringMatching(/TypeError: boom\n +at .*\bapp\.\w+:/),
            },
          },
        ],
      });
      const refused = byPath('/refused/3');
      expect(refused).toMatchObject({ status: { code: 0 }, attributes: { 'http.response.status_code': 403 } });
      expect(refused.attributes).not.toHaveProperty('error.type');
      expect(refused.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['not you']);
      expect(byPath('/nothing/here')).toMatchObject({
        status: { code: 0 },
        attributes: { 'http.response.status_code': 404 },
        events: [],
      });
    });

    test('takes what was thrown for a panic where the answer is 500, and then only', () => {
      const { traceId, spanId } = byPath('/throws');
      const panics = sink.logs.filter(({ scope }) => scope === '@signalbox/node/panics');
      expect(panics).toEqual([
        expect.objectContaining({
          body: 'panic: boom',
          severityText: 'ERROR',
          traceId,
          spanId,
          attributes: expect.objectContaining({
            'exception.type': 'TypeError',
            stack: expect.stringMatching(/TypeError: boom/),
          }),
        }),
      ]);
      expect(sink.point('shop.panics').value).toBe(1);
    });

    test('keeps the context in handlers', () => {
      for (const [name, path] of [
        ['user', '/users/7'],
        ['echo', '/echo'],
      ] as const) {
        const { traceId, spanId } = byPath(path);
        expect(sink.span(name)).toMatchObject({ traceId, parentSpanId: spanId });
      }
    });

    test('ends the span when the client goes away', () => {
      expect(byPath('/never')).toMatchObject({ status: { code: 0 }, attributes: { 'error.type': 'ECONNRESET' } });
      expect(sink.point('http.server.active_requests', { 'http.request.method': 'GET' }).value).toBe(0);
    });
  });
}

const setup = `
import { start } from '@signalbox/node';
start({ http: { requestLog: true, recordPanics: { counterName: 'shop.panics' } } });`;

async function start(
  framework: FrameworkApp,
  system: ModuleSystem,
  { execPath }: TestNode,
  sink: OtlpSink,
  nodeModules: string | undefined,
): Promise<App> {
  return new App({
    ...(execPath !== undefined && { execPath }),
    file: files[system],
    source:
      system === 'esbuild'
        ? await bundledSource(framework, packageFolder, nodeModules)
        : frameworkSource(framework, system),
    ...(nodeModules !== undefined && { nodeModules }),
    ...(framework.packages !== undefined && { packages: framework.packages }),
    nodeArguments: [...(system === 'tsx' ? ['--import', 'tsx'] : []), '--import', './setup.mjs'],
    files: { 'setup.mjs': setup },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly chunks: number;
  readonly traceId: string | undefined;
}

/** One connection to the service, which it keeps. */
interface Client {
  /** Calls `onFirst` when a part of the response is there. */
  ask(method: string, path: string, body: string | undefined, onFirst: () => void): Promise<Answer>;
  /** Asks for `path` and goes away before there is an answer. */
  abandon(path: string): Promise<void>;
  close(): void;
}

function http1Client(port: number): Client {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async ask(method, path, body, onFirst) {
      const request = http.request({ host: '127.0.0.1', port, agent, method, path });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const traceId = response.headers['x-trace-id'];
      return { status: response.statusCode ?? 0, traceId: traceId?.toString(), ...(await read(response, onFirst)) };
    },
    async abandon(path) {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    },
    close: () => agent.destroy(),
  };
}

function http2Client(port: number): Client {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  return {
    async ask(method, path, body, onFirst) {
      const stream = session.request({ ':method': method, ':path': path });
      stream.end(body);
      const [headers] = (await once(stream, 'response')) as [
        http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader,
      ];
      const traceId = headers['x-trace-id'];
      return { status: headers[':status'] ?? 0, traceId: traceId?.toString(), ...(await read(stream, onFirst)) };
    },
    async abandon(path) {
      const stream = session.request({ ':path': path });
      // A round trip behind the request, so that the service has seen it.
      await new Promise((resolve) => session.ping(resolve));
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await once(stream, 'close');
    },
    close: () => session.close(),
  };
}

async function read(response: Readable, onFirst: () => void): Promise<{ text: string; chunks: number }> {
  let text = '';
  let chunks = 0;
  response.once('data', onFirst);
  response.on('data', (chunk: Buffer) => {
    text += chunk;
    chunks += 1;
  });
  await once(response, 'end');
  return { text, chunks };
}

/** What the service's WebSocket answers to `text`. */
async function echoed(port: number, text: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  await once(socket, 'open');
  socket.send(text);
  const [answer] = await once(socket, 'message');
  socket.close();
  await once(socket, 'close');
  return String(answer);
}
