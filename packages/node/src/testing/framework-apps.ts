import { join } from 'node:path';

/** What follows is the same service on each framework: see `requests` for what it answers. */
export interface FrameworkApp {
  readonly framework: string;
  /** What is imported, and from where: `express`, `{ Hono }`. */
  readonly imports: readonly (readonly [binding: string, from: string])[];
  readonly body: string;
  /** For the full tier only. */
  readonly isRare?: boolean;
  /** Speaks HTTP/2 in clear, where connections are not upgraded. */
  readonly isHttp2?: boolean;
  /** Found by channels alone, so that it may be bundled into the application; others have to be marked as external. */
  readonly isBundled?: boolean;
  /** As `AppOptions.packages`. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Name and version of what it needs and the repository does not have: see `installPackages`. */
  readonly installed?: Readonly<Record<string, string>>;
}

/** `esbuild`: everything in one CommonJS file, but for the frameworks that have to stay outside. */
export type ModuleSystem = 'esm' | 'cjs' | 'tsx' | 'esbuild';

const listening = "() => { upgrades(server); console.log('port=' + server.address().port); }";

/** The same without a framework: requests and responses, and the route by hand. */
const plain = `
const routes = {
  '/': () => ['/', async () => 'root'],
  users: (id) => ['/users/:id', async () => { await later(); inner('user'); return 'user ' + id; }],
  api: (version, _items, item) => ['/api/:version/items/:item', async () => version + ' ' + item],
  throws: () => ['/throws', async () => { await later(); throw new TypeError('boom'); }],
  refused: () => ['/refused/:id', async () => { throw Object.assign(new RangeError('not you'), { status: 403 }); }],
  echo: () => ['/echo', async (request) => { let size = 0; for await (const chunk of request) size += chunk.length; inner('echo'); return String(size); }],
  events: () => ['/events', async (request, response) => { const more = released(); response.setHeader('content-type', 'text/event-stream'); response.write('data: 1\\n\\n'); await more; return 'data: 2\\n\\n'; }],
  never: () => ['/never', () => new Promise(() => {})],
};
const handle = recoverPanics(async (request, response) => {
  const [first, ...rest] = request.url.split('?')[0].slice(1).split('/');
  const route = routes[first === '' ? '/' : first];
  if (route === undefined) { response.statusCode = 404; return response.end('nothing'); }
  const [template, run] = route(...rest);
  setRoute(template);
  try { response.end(await run(request, response)); } catch (error) {
    if (error.status === undefined) throw error;
    getRequestSpan().recordException(error);
    response.statusCode = error.status;
    response.end(error.message);
  }
}, { counterName: 'shop.panics' });
`;

const http2Import = ['{ createServer }', 'node:http2'] as const;
/** Express alone takes no requests of HTTP/2: it gives them the prototype of `node:http`'s. */
const http2Express = ['http2Express', 'http2-express'] as const;
const listen = `server.listen(0, '127.0.0.1', ${listening});`;

const withoutFramework = (module: 'node:http' | 'node:http2'): FrameworkApp => ({
  framework: module,
  isHttp2: module === 'node:http2',
  isBundled: true,
  imports: [
    ['{ createServer }', module],
    ['{ getRequestSpan, recoverPanics, setRoute }', '@signalbox/node'],
  ],
  body: `${plain}
const server = createServer(handle);
${listen}`,
});

const express = (
  framework: string,
  packages: Readonly<Record<string, string>> = {},
  isHttp2 = false,
): FrameworkApp => ({
  framework,
  packages,
  isHttp2,
  imports: [['express', 'express'], ...(isHttp2 ? [http2Express, http2Import] : [])],
  body: `
const app = ${isHttp2 ? 'http2Express(express)' : 'express()'};
app.use((request, response, next) => next());
app.use('/users', (request, response, next) => setTimeout(next, 1));
app.get('/', (request, response) => response.send('root'));
app.get('/users/:id', (request, response) => { inner('user'); response.send('user ' + request.params.id); });
const items = express.Router({ mergeParams: true });
items.use((request, response, next) => next());
items.get('/items/:item', (request, response) => response.send(request.params.version + ' ' + request.params.item));
const unrelated = express.Router();
app.use('/:anything', unrelated);
app.use('/api/:version', items);
app.get('/throws', async (request, response, next) => { try { await later(); throw new TypeError('boom'); } catch (error) { next(error); } });
app.get('/refused/:id', () => { throw Object.assign(new RangeError('not you'), { status: 403 }); });
app.post('/echo', (request, response) => { let size = 0; request.on('data', (chunk) => { size += chunk.length; }); request.on('end', () => { inner('echo'); response.send(String(size)); }); });
app.get('/events', async (request, response) => { const more = released(); response.setHeader('content-type', 'text/event-stream'); response.write('data: 1\\n\\n'); await more; response.end('data: 2\\n\\n'); });
app.get('/never', () => {});
app.use((error, request, response, next) => { response.status(error.status ?? 500).send(error.message); });
${isHttp2 ? `const server = createServer(app); ${listen}` : `const server = app.listen(0, '127.0.0.1', ${listening});`}`,
});

const nestClasses = (response: 'express' | 'fastify'): string => `
class Service {
  root() { return 'root'; }
  user(id) { inner('user'); return 'user ' + id; }
  item(version, item) { return version + ' ' + item; }
  async throws() { await later(); throw new TypeError('boom'); }
  refused() { throw new ForbiddenException('not you'); }
  async echo(request) { let size = 0; for await (const chunk of ${response === 'express' ? 'request' : 'request.raw'}) size += chunk.length; inner('echo'); return String(size); }
  async events(response) { const raw = ${response === 'express' ? 'response' : '(response.hijack(), response.raw)'}; const more = released(); raw.setHeader('content-type', 'text/event-stream'); raw.write('data: 1\\n\\n'); await more; raw.end('data: 2\\n\\n'); }
  never() { return new Promise(() => {}); }
}
const route = (method, name, ...parameters) => {
  method(Service.prototype, name, Object.getOwnPropertyDescriptor(Service.prototype, name));
  parameters.forEach((parameter, index) => parameter(Service.prototype, name, index));
};
Controller()(Service);
route(Get('/'), 'root'); route(Get('users/:id'), 'user', Param('id')); route(Get('api/:version/items/:item'), 'item', Param('version'), Param('item'));
route(Get('throws'), 'throws'); route(Get('refused/:id'), 'refused'); route(Post('echo'), 'echo', Req()); route(Get('events'), 'events', Res()); route(Get('never'), 'never');
HttpCode(200)(Service.prototype, 'echo', Object.getOwnPropertyDescriptor(Service.prototype, 'echo'));
class App {}
Module({ controllers: [Service] })(App);`;

const nest = (platform: 'express' | 'fastify', isHttp2 = false): FrameworkApp => ({
  framework: `nestjs on ${platform}${isHttp2 ? ' on HTTP/2' : ''}`,
  isHttp2,
  imports: [
    ['{}', 'reflect-metadata'],
    ['{ NestFactory }', '@nestjs/core'],
    ['{ Controller, ForbiddenException, Get, HttpCode, Module, Param, Post, Req, Res }', '@nestjs/common'],
    ...(platform === 'fastify' ? ([['{ FastifyAdapter }', '@nestjs/platform-fastify']] as const) : []),
    ...(platform === 'express' && isHttp2
      ? ([
          ['{ ExpressAdapter }', '@nestjs/platform-express'],
          ['express', 'express'],
          http2Express,
          http2Import,
        ] as const)
      : []),
  ],
  body: `${nestClasses(platform)}
${nestAdapter(platform, isHttp2)}
NestFactory.create(App, ...adapter, { logger: false, bodyParser: false }).then(async (app) => {
  ${
    platform === 'express' && isHttp2
      ? `await app.init();
  const server = createServer(app.getHttpAdapter().getInstance());
  ${listen}`
      : `await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer();
  (${listening})();`
  }
});`,
});

function nestAdapter(platform: 'express' | 'fastify', isHttp2: boolean): string {
  if (platform === 'express')
    return `const adapter = ${isHttp2 ? '[new ExpressAdapter(http2Express(express))]' : '[]'};`;
  return `const adapter = [new FastifyAdapter({ http2: ${isHttp2} })];
adapter[0].getInstance().addContentTypeParser('*', (request, payload, done) => done(null));`;
}

const fastify = (isHttp2 = false): FrameworkApp => ({
  framework: isHttp2 ? 'fastify on HTTP/2' : 'fastify',
  isHttp2,
  isRare: isHttp2,
  isBundled: true,
  imports: [['fastify', 'fastify']],
  body: `
const app = fastify({ http2: ${isHttp2} });
app.addContentTypeParser('*', (request, payload, done) => done(null));
app.get('/', async () => 'root');
app.get('/users/:id', async (request) => { await later(); inner('user'); return 'user ' + request.params.id; });
app.register(async (items) => { items.get('/items/:item', async ({ params }) => params.version + ' ' + params.item); }, { prefix: '/api/:version' });
app.get('/throws', async () => { await later(); throw new TypeError('boom'); });
app.get('/refused/:id', { onRequest: async () => { throw Object.assign(new RangeError('not you'), { statusCode: 403 }); } }, async () => 'never');
app.post('/echo', async (request) => { let size = 0; for await (const chunk of request.raw) size += chunk.length; inner('echo'); return String(size); });
app.get('/events', async (request, reply) => { reply.hijack(); const more = released(); reply.raw.setHeader('content-type', 'text/event-stream'); reply.raw.write('data: 1\\n\\n'); await more; reply.raw.end('data: 2\\n\\n'); });
app.get('/never', () => {});
app.setErrorHandler((error, request, reply) => { reply.code(error.statusCode ?? 500).send(error.message); });
const { server } = app;
app.listen({ port: 0, host: '127.0.0.1' }, ${listening});`,
});

type Import = FrameworkApp['imports'][number];

const koa = (isHttp2 = false, router: Import = ['{ Router }', '@koa/router']): FrameworkApp => ({
  framework: isHttp2 ? 'koa on HTTP/2' : 'koa',
  isHttp2,
  isRare: isHttp2,
  imports: [['Koa', 'koa'], router, ...(isHttp2 ? [http2Import] : [])],
  body: `
const app = new Koa();
app.silent = true;
const router = new Router();
router.use(async (context, next) => next());
router.get('/', (context) => { context.body = 'root'; });
router.get('/users/:id', async (context) => { await later(); inner('user'); context.body = 'user ' + context.params.id; });
const items = new Router();
items.get('/items/:item', (context) => { context.body = context.params.version + ' ' + context.params.item; });
router.use('/api/:version', items.routes());
router.get('/throws', async () => { await later(); throw new TypeError('boom'); });
router.get('/refused/:id', (context) => { throw Object.assign(new RangeError('not you'), { status: 403, expose: true }); });
router.post('/echo', async (context) => { let size = 0; for await (const chunk of context.req) size += chunk.length; inner('echo'); context.body = String(size); });
router.get('/events', async (context) => { context.respond = false; context.res.statusCode = 200; const more = released(); context.res.setHeader('content-type', 'text/event-stream'); context.res.write('data: 1\\n\\n'); await more; context.res.end('data: 2\\n\\n'); });
router.get('/never', () => new Promise(() => {}));
app.use(router.routes());
${isHttp2 ? `const server = createServer(app.callback()); ${listen}` : `const server = app.listen(0, '127.0.0.1', ${listening});`}`,
});

const hono = (isHttp2 = false): FrameworkApp => ({
  framework: isHttp2 ? 'hono on HTTP/2' : 'hono',
  isHttp2,
  isRare: isHttp2,
  imports: [
    ['{ Hono }', 'hono'],
    ['{ HTTPException }', 'hono/http-exception'],
    ['{ serve }', '@hono/node-server'],
    ...(isHttp2 ? [http2Import] : []),
  ],
  body: `
const app = new Hono().basePath('/');
app.use('*', async (context, next) => { await next(); });
app.get('/', (context) => context.text('root'));
app.get('/users/:id', async (context) => { await later(); inner('user'); return context.text('user ' + context.req.param('id')); });
const items = new Hono();
items.get('/items/:item', (context) => context.text(context.req.param('version') + ' ' + context.req.param('item')));
app.route('/api/:version', items);
app.get('/throws', async () => { await later(); throw new TypeError('boom'); });
app.use('/refused/*', async () => { throw new HTTPException(403, { message: 'not you' }); });
app.get('/refused/:id', (context) => context.text('never'));
app.post('/echo', async (context) => { const size = (await context.req.arrayBuffer()).byteLength; inner('echo'); return context.text(String(size)); });
app.get('/events', (context) => context.body(new ReadableStream({ async start(controller) { const more = released(); controller.enqueue(new TextEncoder().encode('data: 1\\n\\n')); await more; controller.enqueue(new TextEncoder().encode('data: 2\\n\\n')); controller.close(); } }), 200, { 'content-type': 'text/event-stream' }));
app.get('/never', () => new Promise(() => {}));
app.onError((error, context) => context.text(error.message, error.status ?? 500));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1'${isHttp2 ? ', createServer' : ''} }, ${listening});`,
});

const h3 = (isHttp2 = false): FrameworkApp => ({
  framework: isHttp2 ? 'h3 on HTTP/2' : 'h3',
  isHttp2,
  isRare: isHttp2,
  imports: [['{ H3, HTTPError, serve, toNodeHandler }', 'h3'], ...(isHttp2 ? [http2Import] : [])],
  body: `
const app = new H3({ silent: true });
app.use((event, next) => next());
app.get('/', () => 'root');
app.get('/users/:id', async (event) => { await later(); inner('user'); return 'user ' + event.context.params.id; });
const items = new H3();
items.get('/items/:item', (event) => event.context.params.version + ' ' + event.context.params.item);
app.mount('/api/:version', items);
app.get('/throws', async () => { await later(); throw new TypeError('boom'); });
app.get('/refused/:id', () => { throw new HTTPError({ status: 403, message: 'not you' }); });
app.post('/echo', async (event) => { const size = (await event.req.arrayBuffer()).byteLength; inner('echo'); return String(size); });
app.get('/events', (event) => { event.res.headers.set('content-type', 'text/event-stream'); return new ReadableStream({ async start(controller) { const more = released(); controller.enqueue(new TextEncoder().encode('data: 1\\n\\n')); await more; controller.enqueue(new TextEncoder().encode('data: 2\\n\\n')); controller.close(); } }); });
app.get('/never', () => new Promise(() => {}));
${
  isHttp2
    ? `const server = createServer(toNodeHandler(app)); ${listen}`
    : `const running = serve(app, { port: 0, hostname: '127.0.0.1', silent: true });
const server = running.node.server;
running.ready().then(${listening});`
}`,
});

export const frameworkApps: readonly FrameworkApp[] = [
  withoutFramework('node:http'),
  withoutFramework('node:http2'),
  express('express 5.3'),
  { ...express('express 5.2', { express: 'express-5.2', router: 'router-2.2' }), isRare: true },
  express('express 4', { express: 'express-4' }),
  fastify(),
  fastify(true),
  koa(),
  koa(true),
  hono(),
  hono(true),
  h3(),
  h3(true),
  nest('express'),
  { ...nest('fastify'), isRare: true },
  { ...nest('fastify', true), isRare: true },
];

const nestPackages = (platform: 'express' | 'fastify', version: string): Readonly<Record<string, string>> => ({
  '@nestjs/common': version,
  '@nestjs/core': version,
  [`@nestjs/platform-${platform}`]: version,
  'reflect-metadata': '0.2',
  rxjs: '7',
});
const olderNest = (platform: 'express' | 'fastify', version: string): FrameworkApp =>
  older(nest(platform), version, nestPackages(platform, version));

function older(
  app: FrameworkApp,
  version: string,
  installed: Readonly<Record<string, string>>,
  suffix = '',
): FrameworkApp {
  return { ...app, framework: `${app.framework} ${version}${suffix}`, installed };
}

/** Of the major versions before, and of the present one, the first and the last: for the long tier. */
export const installedFrameworkApps: readonly FrameworkApp[] = [
  older(express('express'), '4.6', { express: '4.6' }),
  older(express('express'), '4.16', { express: '4.16' }),
  older(express('express'), '5.0', { express: '5.0' }),
  older(express('express on HTTP/2', {}, true), '4', { express: '4', 'http2-express': '1' }),
  older(express('express on HTTP/2', {}, true), '5', { express: '5', 'http2-express': '1' }),
  older(fastify(), '4.0', { fastify: '4.0' }),
  older(fastify(), '4', { fastify: '4' }),
  older(fastify(true), '4', { fastify: '4' }),
  older(fastify(), '5.0', { fastify: '5.0' }),
  older(koa(false, ['Router', 'koa-router']), '2.0', { koa: '2.0', 'koa-router': '7' }, ' and koa-router 7'),
  older(koa(false, ['Router', '@koa/router']), '2', { koa: '2', '@koa/router': '12' }),
  older(hono(), '4.0', { hono: '4.0', '@hono/node-server': '1' }),
  olderNest('express', '9.0'),
  olderNest('fastify', '9.0'),
  olderNest('express', '10'),
  olderNest('fastify', '10'),
  olderNest('express', '11'),
  olderNest('fastify', '11'),
  { ...nest('express', true), installed: { ...nestPackages('express', '12'), express: '5', 'http2-express': '1' } },
];

/** Installed by themselves, for the Koa that the repository has. */
export const koaMountVersions = ['2', '3', '4'];

/** The program, under a module system; for `esbuild` what it is made of. */
export function frameworkSource({ imports, body, isHttp2 = false }: FrameworkApp, system: ModuleSystem): string {
  const all = [
    ['{ trace }', '@opentelemetry/api'] as const,
    ...(isHttp2 ? [] : [['{ WebSocketServer }', 'ws'] as const]),
    ...imports,
  ];
  const lines = all.map(([binding, from]) =>
    system === 'cjs' ? `const ${binding} = require('${from}');` : `import ${binding} from '${from}';`,
  );
  const upgrades = isHttp2
    ? '() => {}'
    : "(server) => new WebSocketServer({ server, path: '/socket' }).on('connection', (socket) => socket.on('message', (data) => { inner('socket'); socket.send(String(data)); }))";
  return `${lines.join('\n')}
const inner = (name) => trace.getTracer('app').startActiveSpan(name, (span) => span.end());
const later = () => new Promise((resolve) => setTimeout(resolve, 10));
// The client says when it has read the first part of a response.
const released = () => new Promise((resolve) => process.once('SIGUSR2', resolve));
const upgrades = ${upgrades};
${body}`;
}

/** `frameworkSource`, as esbuild makes a program for Node of it: one file, of what is found in these `node_modules` and from `folder`. */
export async function bundledSource(app: FrameworkApp, folder: string, nodeModules?: string): Promise<string> {
  // Loaded here: most tests do without.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: frameworkSource(app, 'esbuild'), resolveDir: nodeModules ?? folder },
    nodePaths: nodeModules === undefined ? [] : [join(folder, '../../node_modules')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // What is found by the files it is loaded from.
    external: ['ws', ...(app.isBundled === true ? [] : app.imports.map(([, from]) => from))],
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}
