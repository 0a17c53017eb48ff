import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Alert } from '../rules/alert.ts';
import { Notifier } from './notifier.ts';
import { parseNotificationConfig } from './parse-notification-config.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

let folder: string;
let errors: string[];
const cleanUp: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-notify-'));
  errors = [];
  cleanUp.push(() => rmSync(folder, { recursive: true }));
});
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** A receiver of JSON; `answer` decides the status of each request. */
async function receiver(answer: (request: Received, index: number) => number = () => 200, port = 0) {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(String(Buffer.concat(pieces))),
      };
      received.push(one);
      response.writeHead(answer(one, received.length - 1)).end('because');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanUp.push(close);
  return { received, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function startNotifier({ urls = [] as string[], yaml = '' }): Notifier {
  const { config, problems } = parseNotificationConfig(yaml);
  expect(yaml === '' ? [] : problems).toEqual([]);
  const notifier = new Notifier({
    folder,
    alertmanagerUrls: urls,
    config: yaml === '' ? undefined : config,
    externalLabels: new Map([['region', 'eu']]),
    externalUrl: new URL('http://signalbox.example:4319'),
    onError: (error) => errors.push(String(error)),
  });
  cleanUp.push(() => notifier.shutdown());
  notifier.start();
  return notifier;
}

const START = Date.UTC(2026, 0, 1);

function notice(name: string, more: Partial<Alert> = {}) {
  const alert: Alert = {
    labels: new Map([
      ['alertname', name],
      ['service', 'shop'],
    ]),
    annotations: new Map([['summary', `${name} <of> shop`]]),
    state: 'firing',
    value: 1,
    activeAt: START,
    firedAt: START + 60_000,
    resolvedAt: undefined,
    keepFiringSince: undefined,
    lastSentAt: undefined,
    validUntil: Date.now() + 240_000,
    ...more,
  };
  return { alert, expression: 'up == 0' };
}

const resolved = (name: string) => notice(name, { state: 'inactive', resolvedAt: START + 120_000 });

test('an Alertmanager is told in the form of its API', async () => {
  const { received, url } = await receiver();
  startNotifier({ urls: [url.replace('//', '//me:secret@')] }).tell([notice('Down')]);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]).toMatchObject({
    path: '/api/v2/alerts',
    headers: { authorization: `Basic ${btoa('me:secret')}` },
    body: [
      {
        labels: { alertname: 'Down', service: 'shop', region: 'eu' },
        annotations: { summary: 'Down <of> shop' },
        startsAt: '2026-01-01T00:01:00.000Z',
        generatorURL: 'http://signalbox.example:4319/api/v1/query?query=up+%3D%3D+0',
      },
    ],
  });
});

test('while an Alertmanager is away nothing is lost: beginning and end are both told, in order, also after a restart', async () => {
  const gone = await receiver();
  await gone.close();
  const first = startNotifier({ urls: [gone.url] });
  first.tell([notice('Down')]);
  await vi.waitFor(() => expect(errors).not.toEqual([]));
  first.tell([resolved('Down')]);
  await first.shutdown();
  const back = await receiver(undefined, Number(new URL(gone.url).port));
  startNotifier({ urls: [gone.url] });
  await vi.waitFor(() => expect(back.received).toHaveLength(2));
  const ends = back.received.map(({ body }) => (body as { endsAt: string }[])[0]?.endsAt ?? '');
  expect(Date.parse(ends[0] ?? '')).toBeGreaterThan(Date.now());
  expect(ends[1]).toBe('2026-01-01T00:02:00.000Z');
});

test('an Alertmanager that answers 503 is told again; one that answers 400 is not, and later alerts still go out', async () => {
  const statuses = [503, 400, 200];
  const { received, url } = await receiver((_, index) => statuses[index] ?? 200);
  const notifier = startNotifier({ urls: [url] });
  notifier.tell([notice('A')]);
  await vi.waitFor(() => expect(received).toHaveLength(2), 5_000);
  notifier.tell([notice('B')]);
  await vi.waitFor(() => expect(received).toHaveLength(3), 5_000);
  expect(received.map(({ body }) => JSON.stringify(body).match(/"alertname":"(\w)"/)?.[1])).toEqual(['A', 'A', 'B']);
  expect(errors).toEqual([expect.stringContaining('answered 503: because'), expect.stringContaining('answered 400')]);
});

const route = (more: string) => `
route: { receiver: team, group_by: [service], group_wait: 100ms, group_interval: 100ms, repeat_interval: 1h }
receivers:
  - name: team
    ${more}
`;

test('a webhook gets one notification of a group, and one of its end', async () => {
  const { received, url } = await receiver();
  const notifier = startNotifier({ yaml: route(`webhook_configs: [{ url: '${url}/hook' }]`) });
  notifier.tell([notice('A')]);
  notifier.tell([notice('B')]);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]).toMatchObject({
    path: '/hook',
    body: {
      version: '4',
      status: 'firing',
      receiver: 'team',
      groupLabels: { service: 'shop' },
      commonLabels: { service: 'shop', region: 'eu' },
      alerts: [
        { status: 'firing', labels: { alertname: 'A' }, endsAt: '0001-01-01T00:00:00Z' },
        { status: 'firing', labels: { alertname: 'B' } },
      ],
    },
  });
  notifier.tell([resolved('A'), resolved('B')]);
  await vi.waitFor(() => expect(received).toHaveLength(2));
  expect(received[1]?.body).toMatchObject({
    status: 'resolved',
    alerts: [{ status: 'resolved' }, { status: 'resolved' }],
  });
  // A group of which all is told says nothing more.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(received).toHaveLength(2);
});

test('Slack gets a title and escaped text', async () => {
  const { received, url } = await receiver();
  startNotifier({ yaml: route(`slack_configs: [{ api_url: '${url}', channel: '#ops' }]`) }).tell([notice('A')]);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]?.body).toMatchObject({
    channel: '#ops',
    attachments: [
      {
        title: '[FIRING:1] A (shop)',
        title_link: 'http://signalbox.example:4319/',
        text: expect.stringContaining('A &lt;of&gt; shop'),
        color: 'danger',
      },
    ],
  });
});

test('e-mail is sent over SMTP', async () => {
  const lines: string[] = [];
  const server = createTcpServer((socket) => {
    let isData = false;
    socket.write('220 test\r\n');
    socket.on('data', (data) => {
      for (const line of String(data).split('\r\n').filter(Boolean)) {
        lines.push(line);
        if (isData) {
          if (line !== '.') continue;
          isData = false;
        }
        if (line === 'DATA') isData = true;
        socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => void server.close());
  const smarthost = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const email = `email_configs: [{ to: ops@example.com, from: box@example.com, smarthost: '${smarthost}', require_tls: false }]`;
  startNotifier({ yaml: route(email) }).tell([notice('A')]);
  await vi.waitFor(() => expect(lines).toContain('.'), 5_000);
  expect(lines).toEqual(
    expect.arrayContaining([
      'MAIL FROM:<box@example.com>',
      'RCPT TO:<ops@example.com>',
      'Subject: [FIRING:1] A (shop)',
    ]),
  );
});

test('silenced alerts are not told, and are told when the silence ends', async () => {
  const { received, url } = await receiver();
  const notifier = startNotifier({ yaml: route(`webhook_configs: [{ url: '${url}' }]`) });
  const matcher = { name: 'alertname', value: 'A', isEqual: true, isRegex: false };
  const now = Date.now();
  const silence = { matchers: [matcher], startsAt: now, endsAt: now + 3_600_000, createdBy: 'me', comment: 'known' };
  const id = notifier.silences.set(silence, now);
  notifier.tell([notice('A'), notice('B')]);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]?.body).toMatchObject({ alerts: [{ labels: { alertname: 'B' } }] });
  notifier.silences.expire(id, Date.now());
  await vi.waitFor(() => expect(received).toHaveLength(2));
  expect(JSON.stringify(received[1]?.body)).toContain('"alertname":"A"');
});

test('an alert is inhibited by another of the same service', async () => {
  const { received, url } = await receiver();
  const yaml = `${route(`webhook_configs: [{ url: '${url}' }]`)}
inhibit_rules: [{ source_matchers: ['alertname=Down'], target_matchers: ['alertname=Slow'], equal: [service] }]
`;
  startNotifier({ yaml }).tell([notice('Down'), notice('Slow')]);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]?.body).toMatchObject({ alerts: [{ labels: { alertname: 'Down' } }] });
});

test.each([
  ['receivers: []', 'route'],
  ['route: { receiver: nobody }\nreceivers: [{ name: team }]', 'nobody'],
  ['route: { receiver: team, group_wait: soon }\nreceivers: [{ name: team }]', 'soon'],
  [
    "route: { receiver: team }\nreceivers: [{ name: team, webhook_configs: [{ url: 'nowhere' }] }]",
    'expected an http or https address',
  ],
  ["route: { receiver: team, routes: [{ matchers: ['=~'] }] }\nreceivers: [{ name: team }]", '=~'],
  ['route: { receiver: team }\nreceivers: [{ name: team, pagerduty_configs: [] }]', 'pagerduty_configs'],
])('a mistake in the file of receivers is found (%#)', (yaml, word) => {
  const { problems } = parseNotificationConfig(yaml);
  expect(problems.map(({ message }) => message).join('\n')).toContain(word);
});
