import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { post } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** Waits until what it expects is so. */
async function eventually(check: () => Promise<void> | void, timeout = 10_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 100 });
}

interface ToldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Plays an Alertmanager. */
async function alertmanager(port = 0) {
  const told: ToldAlert[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    request.on('end', () => {
      told.push(...(JSON.parse(text) as ToldAlert[]));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanUp.push(close);
  return { told, close, port: (server.address() as AddressInfo).port };
}

async function sendGauge(signalbox: SignalboxProcess, name: string, value: number): Promise<void> {
  const point = {
    timeUnixNano: `${Date.now()}000000`,
    asDouble: value,
    attributes: [{ key: 'route', value: { stringValue: '/buy' } }],
  };
  const { status } = await post(signalbox.otlpHttp, 'metrics', {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeMetrics: [{ metrics: [{ name, gauge: { dataPoints: [point] } }] }],
      },
    ],
  });
  expect(status).toBe(200);
}

async function prometheus<Data>(signalbox: SignalboxProcess, path: string): Promise<Data> {
  const response = await fetch(`${signalbox.page}/api/v1/${path}`);
  const body = (await response.json()) as { status: string; data: Data };
  expect(body.status).toBe('success');
  return body.data;
}

/** The series of an instant query: labels without the name, and the value. */
async function query(signalbox: SignalboxProcess, expression: string) {
  type Vector = { result: { metric: Record<string, string>; value: [number, string] }[] };
  const { result } = await prometheus<Vector>(signalbox, `query?query=${encodeURIComponent(expression)}`);
  return result.map(({ metric, value }) => ({ ...metric, value: value[1] }));
}

const rules = (more = '') => `groups:
  - name: shop
    interval: 1s
    rules:
      - record: job:queue_depth:doubled
        expr: sum by (job) (queue_depth) * 2
      - alert: QueueTooLong
        expr: job:queue_depth:doubled > 10
        for: 6s
        labels: { severity: page }
        annotations: { summary: '{{ $labels.job }} waits for {{ $value }}' }
${more}`;

test('rules record series and raise alerts; neither a restart in the middle of "for" nor an Alertmanager that is away loses one', async () => {
  const away = await alertmanager();
  await away.close();
  const signalbox = new SignalboxProcess();
  cleanUp.push(() => signalbox.dispose());
  const file = join(signalbox.data, 'shop.rules.yml');
  writeFileSync(file, rules());
  const flags = [
    '--rule-files',
    join(signalbox.data, '*.rules.yml'),
    '--alertmanager-urls',
    `http://127.0.0.1:${away.port}`,
  ];
  await signalbox.start(...flags);

  await sendGauge(signalbox, 'queue_depth', 21);
  await eventually(async () => {
    expect(await query(signalbox, 'job:queue_depth:doubled')).toEqual([
      { __name__: 'job:queue_depth:doubled', job: 'shop', value: '42' },
    ]);
    expect(await query(signalbox, 'ALERTS')).toEqual([
      {
        __name__: 'ALERTS',
        alertname: 'QueueTooLong',
        alertstate: 'pending',
        job: 'shop',
        severity: 'page',
        value: '1',
      },
    ]);
  });
  const since = async () => await query(signalbox, 'ALERTS_FOR_STATE');
  const [pending] = await since();

  // A restart in the middle of "for".
  await signalbox.child.stop('SIGTERM');
  await signalbox.start(...flags);
  await eventually(async () => {
    const { groups } = await prometheus<{ groups: { rules: { name: string; state?: string; health: string }[] }[] }>(
      signalbox,
      'rules',
    );
    expect(groups[0]?.rules).toMatchObject([{ health: 'ok' }, { name: 'QueueTooLong', state: 'firing', health: 'ok' }]);
  }, 20_000);
  expect((await since())[0]?.value).toBe(pending?.value);

  // What it could not be told while it was away, it is told when it is back; then that it is over.
  const back = await alertmanager(away.port);
  await eventually(() => {
    expect(back.told[0]).toMatchObject({
      labels: { alertname: 'QueueTooLong', job: 'shop', severity: 'page' },
      annotations: { summary: 'shop waits for 42' },
    });
  }, 30_000);
  const fired = Date.parse(back.told[0]?.startsAt ?? '');
  expect(fired - Number(pending?.value) * 1000).toBeGreaterThanOrEqual(6_000);
  expect(fired - Number(pending?.value) * 1000).toBeLessThan(15_000);
  await sendGauge(signalbox, 'queue_depth', 1);
  await eventually(() => expect(Date.parse(back.told.at(-1)?.endsAt ?? '')).toBeLessThanOrEqual(Date.now()), 20_000);
  expect(await query(signalbox, 'ALERTS')).toEqual([]);

  // New rules without a restart; rules with mistakes change nothing.
  writeFileSync(file, rules('      - { record: one, expr: 1 }\n'));
  signalbox.child.process.kill('SIGHUP');
  await eventually(async () => expect(await query(signalbox, 'one')).toMatchObject([{ value: '1' }]), 10_000);
  writeFileSync(file, rules('      - { record: one, expr: "sum(" }\n'));
  signalbox.child.process.kill('SIGHUP');
  await eventually(() => expect(signalbox.child.output).toContain('The rules stay as they were'));
  const { groups } = await prometheus<{ groups: { rules: object[] }[] }>(signalbox, 'rules');
  expect(groups[0]?.rules).toHaveLength(3);
});

test('rules with mistakes are refused at the start, with the place', async () => {
  const signalbox = new SignalboxProcess();
  cleanUp.push(() => signalbox.dispose());
  const file = join(signalbox.data, 'bad.yml');
  writeFileSync(file, rules('      - { record: one, expr: "sum(" }\n'));
  await expect(signalbox.start('--rule-files', file)).rejects.toThrow(/bad\.yml:12:\d+: .*could not parse expression/);
});
