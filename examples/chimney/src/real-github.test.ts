// With nothing set chimney asks the real GitHub. No test may reach it: the end of its encrypted connections is moved to this machine,
// behind the point where Node has decided where to connect, what to call the server, and that its certificate counts.
import { createServer } from 'node:net';
import { startStandIn } from '@signalbox/example-github-stand-in';
import { expect, test } from 'vitest';
import { ChimneyProcess } from './testing/chimney-process.ts';
import { OtlpSink } from './testing/otlp-sink.ts';

const repository = 'atvirokodosprendimai/wgmesh';

/** A module that puts a plain connection to `port` in the place of each TLS connection, and prints where that was to go. */
function movedTls(port: string | number): string {
  const source = `
    import net from 'node:net';
    import tls from 'node:tls';
    tls.connect = ({ host, port, servername, rejectUnauthorized, checkServerIdentity }) => {
      const isChecked = rejectUnauthorized !== false && checkServerIdentity === undefined;
      process.stdout.write(JSON.stringify({ tls: { host, port: Number(port), servername, isChecked } }) + '\\n');
      const socket = net.connect(${port}, '127.0.0.1');
      socket.on('connect', () => socket.emit('secureConnect'));
      return socket;
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

const realGithub = { host: 'api.github.com', port: 443, servername: 'api.github.com', isChecked: true };

async function begin(port: string | number, environment: Record<string, string> = {}) {
  const sink = await OtlpSink.listen();
  const chimney = await ChimneyProcess.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    NODE_OPTIONS: movedTls(port),
    ...environment,
  });
  const close = async () => {
    await chimney.stop('SIGKILL');
    await sink.close();
  };
  const connections = () => chimney.lines.flatMap(({ tls }) => (tls === undefined ? [] : [tls]));
  return { sink, chimney, connections, close };
}

test.each([
  ['without a token', {}, undefined],
  ['with a token', { GITHUB_TOKEN: 'a-token' }, 'Bearer a-token'],
])('https://api.github.com is asked, with the headers it wants, %s', async (_, environment, authorization) => {
  const github = await startStandIn({ repository });
  const { chimney, connections, close } = await begin(new URL(github.url).port, environment);
  try {
    const answer = await fetch(`${chimney.url}/api/github/pulls?state=all`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).not.toHaveLength(0);
    expect(connections()).toEqual([realGithub]);
    expect(github.requests).toHaveLength(1);
    const [request] = github.requests;
    expect(request?.path).toMatch(new RegExp(`^/repos/${repository}/pulls\\b`));
    expect(request?.headers).toMatchObject({
      host: 'api.github.com',
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      // GitHub refuses requests without one.
      'user-agent': expect.stringMatching(/^chimney/),
    });
    expect(request?.headers.authorization).toBe(authorization);
  } finally {
    await close();
    await github.close();
  }
});

test.each([
  ['refuses the connection', 502, /could not be reached \(ECONNREFUSED\)/, {}],
  ['never answers', 504, /did not answer in time/, { CHIMNEY_GITHUB_TIMEOUT_MS: '300' }],
])('a GitHub that %s is a %i and an error of the span', async (how, status, message, environment) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  if (how === 'refuses the connection') await new Promise((resolve) => silent.close(resolve));
  const { chimney, sink, connections, close } = await begin(port, environment);
  try {
    const answer = await fetch(`${chimney.url}/api/github/pulls`);
    expect(answer.status).toBe(status);
    expect(connections()[0]).toEqual(realGithub);
    const span = await sink.eventually('the span of the fetch', () =>
      sink.spans.find(({ name }) => name === 'chimney.github_fetch'),
    );
    expect(span.status).toMatchObject({ code: 2, message: expect.stringMatching(message) });
    expect(span.events?.map(({ name }) => name)).toContain('exception');
  } finally {
    await close();
    silent.close();
  }
});
