import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { koaMountVersions } from '../../testing/framework-apps.ts';
import { installPackages, type TemporaryInstall } from '../../testing/install-packages.ts';
import { OtlpSink } from '../../testing/otlp-sink.ts';

beforeAll(buildPackage, 120_000);

const body = `
const say = (what) => (context) => { context.body = [what, context.path, context.mountPath, context.originalUrl].join(' '); };
const inner = new Koa();
const innerRoutes = new Router();
innerRoutes.get('/items/:item', say('item'));
inner.use(innerRoutes.routes());

const api = new Koa();
api.use((context, next) => next());
api.use(mount('/inner', inner));
const apiRoutes = new Router({ prefix: '/v1' });
apiRoutes.get('/users/:id', say('user'));
apiRoutes.get('/throws', () => { throw new TypeError('boom'); });
apiRoutes.get('/never', () => new Promise(() => {}));
apiRoutes.get('/passes/:on', (context, next) => next());
api.use(apiRoutes.routes());
const rootRoutes = new Router();
rootRoutes.get('/', say('root of the mount'));
api.use(rootRoutes.routes());

const late = new Koa();
const lateRoutes = new Router();
lateRoutes.get('/nobody/:id', say('late'));
late.use(async (context, next) => { await next(); await lateRoutes.routes()(context, () => {}); });

const app = new Koa();
app.silent = true;
app.use(mount(async (context, next) => { await next(); }));
app.use(mount('/api', api));
app.use(mount('/late/', late));
app.use(mount('/plain', say('plain')));
app.use(mount('/list', new Router().get('/:id', say('list')).routes()));
const routes = new Router();
routes.get('/api/v1/passes/:anything', say('outside'));
routes.get('/apis/:id', say('beside'));
app.use(routes.routes());
const server = app.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));`;
const packages = [
  ['Koa', 'koa'],
  ['mount', 'koa-mount'],
  ['{ Router }', '@koa/router'],
];
const imported = packages.map(([binding, from]) => `import ${binding} from '${from}';`);
const required = packages.map(([binding, from]) => `const ${binding} = require('${from}');`);

/**
 * Does to a request what koa-mount does, for the quick tier: the long tier installs the real ones, which the repository does
 * without.
 */
const standIn = `
const compose = require('koa-compose');
module.exports = function mount(path, app) {
  if (typeof path !== 'string') return path;
  const inside = app.middleware === undefined ? app : compose(app.middleware);
  return async (context, next) => {
    const whole = context.path;
    const rest = whole.slice(path.length) || '/';
    if (!whole.startsWith(path) || (!path.endsWith('/') && rest[0] !== '/')) return next();
    const at = (now) => { context.path = now; };
    context.mountPath = path;
    at(rest);
    try { await inside(context, async () => { at(whole); await next(); at(rest); }); } finally { at(whole); }
  };
};`;
const standInFiles = {
  'node_modules/koa-mount/package.json': '{ "name": "koa-mount", "version": "4.2.0" }',
  'node_modules/koa-mount/index.js': standIn,
};

/** What koa-mount itself makes of each request, and the route it has. */
const requests: readonly [path: string, status: number, answer: unknown, route?: string][] = [
  ['/api/v1/users/7', 200, 'user /v1/users/7 /api /api/v1/users/7', '/api/v1/users/:id'],
  ['/api/inner/items/9?q=1', 200, 'item /items/9 /inner /api/inner/items/9?q=1', '/api/inner/items/:item'],
  ['/api', 200, 'root of the mount / /api /api', '/api'],
  ['/api/v1/throws', 500, expect.any(String), '/api/v1/throws'],
  ['/api/v1/passes/on', 200, 'outside /api/v1/passes/on /api /api/v1/passes/on', '/api/v1/passes/:anything'],
  ['/late//nobody/3', 200, 'late /nobody/3 /late/ /late//nobody/3', '/late/nobody/:id'],
  ['/list/4', 200, 'list /4 /list /list/4', '/list/:id'],
  ['/apis/5', 200, 'beside /apis/5  /apis/5', '/apis/:id'],
  // No router has matched: none of these has a route.
  ['/plain/deep', 200, 'plain /deep /plain /plain/deep'],
  ['/api/inner/nothing', 404, 'Not Found'],
  ['/nothing', 404, 'Not Found'],
];

const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const installs = new Map<string, TemporaryInstall>();
if (isFull)
  for (const version of koaMountVersions)
    installs.set(`koa-mount ${version}`, await installPackages({ 'koa-mount': version }));
afterAll(() => {
  for (const { remove } of installs.values()) remove();
});

interface Mounting {
  readonly name: string;
  readonly isMissing?: boolean;
  readonly nodeModules?: string;
}

const mountings: readonly Mounting[] = isFull
  ? [...installs].map(([name, { nodeModules, reason }]) =>
      nodeModules === undefined
        ? { name: `${name} (not installed: ${reason})`, isMissing: true }
        : { name, nodeModules },
    )
  : [{ name: 'a stand-in for koa-mount' }];
const forms = [
  { system: 'ES modules', file: 'app.mjs', lines: imported },
  { system: 'CommonJS', file: 'app.cjs', lines: required },
] as const;
const cases = mountings.flatMap((mounting) => forms.map((form) => ({ ...mounting, ...form })));

for (const { name, system, isMissing = false, nodeModules, file, lines } of cases)
  describe.skipIf(isMissing)(`${name}, ${system}`, () => {
    const sink = new OtlpSink();
    const answers: unknown[] = [];

    beforeAll(async () => {
      await sink.listen();
      const app = new App({
        file,
        source: [...lines, body].join('\n'),
        ...(nodeModules === undefined ? { files: standInFiles } : { nodeModules }),
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
      });
      const port = await app.port();
      for (const [path] of requests) {
        const response = await fetch(`http://127.0.0.1:${port}${path}`);
        answers.push([path, response.status, await response.text()]);
      }
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.end('GET /api/v1/never HTTP/1.1\r\nHost: x\r\n\r\n');
      await vi.waitFor(() => expect(sink.spans).toHaveLength(requests.length + 1), { timeout: 10_000 });
      await app.stop();
    }, 30_000);
    afterAll(() => sink.close());

    test('answers as it does without us', () => {
      expect(answers).toEqual(requests.map(([path, status, text]) => [path, status, text]));
    });

    test('names requests by the mounts and the route in the one that served them', () => {
      expect(sink.spans.map(({ name, attributes }) => [name, attributes['http.route']])).toEqual([
        ...requests.map(([, , , route]) => [route === undefined ? 'GET' : `GET ${route}`, route]),
        ['GET /api/v1/never', '/api/v1/never'],
      ]);
    });
  });
