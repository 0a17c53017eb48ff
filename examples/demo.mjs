// `npm run demo`: Signalbox, example services, what they need, and traffic. See examples/README.md.
import { setMaxListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensurePrograms, findProgram } from '../tooling/debian-packages.mjs';
import { help, readFlags } from './demo/flags.mjs';
import { checkPorts, freePort } from './demo/ports.mjs';
import { Processes } from './demo/processes.mjs';
import { services } from './demo/services.mjs';
import { runTraffic } from './demo/traffic.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const repository = 'atvirokodosprendimai/wgmesh';
const ended = new AbortController();
// Every request that is under way listens for the end.
setMaxListeners(0, ended.signal);
const folders = [];
let failure = null;

const processes = new Processes((message) => stop(new Error(message)));
process.on('exit', () => {
  processes.killAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(null));
// npm hands a SIGTERM to its shell, which does not hand it on: when the shell is gone, nobody wants this any more.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && stop(null), 500).unref();

try {
  const flags = readFlags(process.argv.slice(2));
  if (flags.help) console.log(help);
  else await Promise.race([demonstrate(flags), aborted(ended.signal)]);
} catch (error) {
  // What failed because of the stop is no failure of its own.
  if (!ended.signal.aborted) failure = error;
}
ended.abort();
await processes.stopAll();
if (failure) console.error(`\nThe demonstration has stopped: ${failure.message}`);
process.exit(failure ? 1 : 0);

function aborted(signal) {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Ends the demonstration; with an error when something died. A second Ctrl-C does not wait. */
function stop(error) {
  if (ended.signal.aborted) {
    if (!error) process.exit(130);
    return;
  }
  failure = error;
  if (!error) console.log('\nStopping.');
  ended.abort();
}

async function demonstrate({ data, seconds, traffic, services: names, ports }) {
  checkBuilt(names);
  await checkPorts(ports);
  const redis = await startRedis();
  const signalbox = await startSignalbox(data ?? temporaryFolder('data'), ports);
  const github = await startStandIn();
  const chimney = await startChimney({ redis, github, signalbox, port: ports['chimney-port'] });
  const storefront = await startStorefront({ chimney, signalbox, port: ports['storefront-port'] });
  const others = {};
  for (const name of names) others[name] = await services[name].start(processes, signalbox);
  const sample = await fetch(storefront, { signal: AbortSignal.timeout(15_000) });
  await sample.arrayBuffer();
  console.log(
    banner({ signalbox, chimney, storefront, github, redis, data, others, traceId: sample.headers.get('x-trace-id') }),
  );

  const { signal } = ended;
  const over = seconds === null ? aborted(signal) : wait(seconds);
  if (traffic) {
    const say = (text) => console.log(`  ${new Date().toLocaleTimeString('en-GB')}  ${text}`);
    const running = Promise.all([
      runTraffic({ chimney, storefront, github, redis, signal, say }),
      ...names.map((name) => services[name].traffic(others[name], signal)),
    ]);
    await Promise.race([over, running]);
    ended.abort();
    await running;
  } else await over;
}

function checkBuilt(names) {
  const programs = ['packages/server/dist/main.js', 'packages/node/dist/index.js'].concat(
    ['chimney', 'storefront', 'github-stand-in'].map((name) => `examples/${name}/dist/main.js`),
    names.flatMap((name) => services[name].programs).map((program) => `examples/${program}`),
  );
  const missing = programs.filter((program) => !existsSync(join(root, program)));
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not built: use npm run demo, which builds.`);
}

async function wait(seconds) {
  await sleep(seconds * 1000, undefined, { signal: ended.signal }).catch(() => {});
}

function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `signalbox-demo-${name}-`));
  folders.push(folder);
  return folder;
}

/** Redis on a port of its own with nothing kept on disk; null when there is none to be had. */
async function startRedis() {
  const [missing] = ensurePrograms([
    { program: 'redis-server', debianPackage: 'redis-server', neededFor: "chimney's first cache tier" },
  ]);
  const program = missing ? null : findProgram('redis-server');
  if (!program) {
    console.log(
      'redis-server is not installed: chimney runs on its memory tier. To see both: apt-get install redis-server',
    );
    return null;
  }
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', dir: temporaryFolder('redis'), save: '', appendonly: 'no' };
  const args = Object.entries({ ...settings, maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' });
  const start = () =>
    processes.start(
      'redis-server',
      program,
      args.flatMap(([name, value]) => [`--${name}`, String(value)]),
      {
        ready: /Ready to accept connections/,
      },
    );
  await start();
  return { url: `redis://127.0.0.1:${port}`, start, stop: () => processes.stop('redis-server') };
}

async function startSignalbox(data, ports) {
  const flags = ['port', 'otlp-http-port', 'otlp-grpc-port'].flatMap((name) => [`--${name}`, String(ports[name])]);
  const [page, otlp, otlpGrpc] = await processes.start(
    'signalbox',
    process.execPath,
    [join(root, 'packages/server/bin/signalbox.cjs'), '--data', data, ...flags],
    { ready: [/page\s+(http:\S+)/, /OTLP\/HTTP\s+(http:\S+)/, /OTLP\/gRPC\s+(?:http:\/\/)?(\S+)/, /ready in/] },
  );
  return {
    page: page[1].replace(/\/$/, ''),
    otlp: otlp[1].replace(/\/$/, ''),
    otlpGrpc: `http://${otlpGrpc[1]}`,
  };
}

async function startStandIn() {
  const environment = {
    STAND_IN_PORT: '0',
    STAND_IN_REPOSITORY: repository,
    // A window short enough to see the limit sink and come back.
    STAND_IN_LIMIT: '1500',
    STAND_IN_WINDOW_SECONDS: '600',
  };
  const [match] = await processes.start('github-stand-in', process.execPath, [example('github-stand-in')], {
    environment,
    ready: /on (http:\S+)/,
  });
  return match[1];
}

async function startChimney({ redis, github, signalbox, port }) {
  const environment = {
    CHIMNEY_PORT: String(port),
    CHIMNEY_REPOSITORY: repository,
    CHIMNEY_CACHE_TTL_SECONDS: '20',
    CHIMNEY_DEBUG_ROUTES: '1',
    CHIMNEY_PROMETHEUS: '1',
    REDIS_URL: redis?.url ?? '',
    DRAGONFLY_ADDR: '',
    GITHUB_API_URL: github,
    // Any word will do for the stand-in; with one it counts by the larger limit, as the real GitHub does.
    GITHUB_TOKEN: 'stand-in',
    ...telemetryEnvironment(signalbox, 'deployment.slot=blue'),
  };
  const [match] = await processes.start('chimney', process.execPath, [example('chimney')], {
    environment,
    ready: /"url":"(http:[^"]+)".*chimney listens/,
  });
  return match[1];
}

async function startStorefront({ chimney, signalbox, port }) {
  const environment = {
    CHIMNEY_URL: chimney,
    STOREFRONT_PORT: String(port),
    ...telemetryEnvironment(signalbox, ''),
  };
  const [match] = await processes.start('storefront', process.execPath, [example('storefront')], {
    environment,
    ready: /"url":"(http:[^"]+)".*storefront listens/,
  });
  return match[1];
}

function example(name) {
  return join(root, 'examples', name, 'dist', 'main.js');
}

function telemetryEnvironment({ otlp }, resource) {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_RESOURCE_ATTRIBUTES: resource };
}

function banner({ signalbox, chimney, storefront, github, redis, data, others, traceId }) {
  const rows = [
    ['Look here', signalbox.page],
    ['A trace', `${signalbox.page}/traces/${traceId}`],
    ['', ''],
    ['Storefront', `${storefront}/`],
    ['Chimney', `${chimney}/api/github/pulls`],
    ['', `${chimney}/api/metrics`],
    ...Object.entries(others).map(([name, [address]]) => [name, address]),
    ['GitHub (stand-in)', github],
    ['Redis', redis?.url ?? 'not there: memory tier only'],
    ['Data', data ?? 'temporary; --data DIR keeps it'],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(19)}${value}`);
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)) + 2);
  return ['', rule, ...lines, rule, '  Ctrl-C stops everything.', ''].join('\n');
}
