import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  KeyValue,
  LogSearchResponse,
  Span,
  StatusCode,
  TraceResponse,
  TraceSearchResponse,
} from '@signalbox/api-contract';
import { parsePromql } from '@signalbox/query-language';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { AgentstackProcesses } from './agentstack-processes.ts';
import { binary, eventually, SignalboxProcess } from './signalbox-process.ts';

// AgentStack as its document has it: programs → the Collector's pipeline → traces, metrics and logs → dashboards and alerts.

const deploy = (file: string) => fileURLToPath(new URL(`../deploy/${file}`, import.meta.url));
const read = (file: string) => readFileSync(deploy(file), 'utf8');

// A Signalbox with a store stands for Tempo and Loki; another one, without, does the Collector's job.
interface Dashboard {
  readonly panels: readonly {
    readonly datasource?: { readonly type: string };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const store = new SignalboxProcess();
const collector = new SignalboxProcess();
let platform: AgentstackProcesses;
let scrapeUrl = '';
let agentId = '';

beforeAll(async () => {
  await store.start();
  const collectorFile = join(collector.data, 'otel-collector-config.yaml');
  writeFileSync(
    collectorFile,
    read('collector/agentstack.yaml')
      .replace('0.0.0.0:4317', '127.0.0.1:0')
      .replace('0.0.0.0:4318', '127.0.0.1:0')
      .replace('0.0.0.0:8889', '127.0.0.1:0')
      .replace(/\$\{env:TEMPO_ENDPOINT[^}]*\}/, new URL(store.otlpGrpc).host)
      .replace(/\$\{env:LOKI_ENDPOINT[^}]*\}/, new URL('/loki/api/v1/push', store.page).href),
  );
  await collector.start('--config', collectorFile);
  scrapeUrl = new URL('/metrics', (await collector.child.waitFor(/prometheus\s+(http:\S+)/i))[1]).href;
  platform = await AgentstackProcesses.start(collector.otlpHttp);
  const created = await platform.post('/v1/projects/p1/agents', { name: 'helper', framework: 'langgraph' });
  expect(created.status).toBe(201);
  agentId = String(created.body.id);
  for (const message of ['Why is it slow?', 'And now?', 'Since when?'])
    expect((await platform.post(`/v1/agents/${agentId}/chat`, { message })).status).toBe(200);
  expect((await platform.post('/v1/projects/p1/agents', { name: 'helper', framework: 'custom' })).status).toBe(409);
  expect((await platform.post('/v1/projects/p1/agents', { name: 'other', framework: 'cobol' })).status).toBe(400);
}, 120_000);

afterAll(async () => {
  await (platform as AgentstackProcesses | undefined)?.stop();
  await collector.dispose();
  await store.dispose();
});

/** The newest trace of an `agent.Create` that ended so. */
async function createTrace(status: StatusCode, message: string): Promise<{ trace: TraceResponse; span: Span }> {
  return await eventually(async () => {
    const { traces } = await store.api<TraceSearchResponse>('traces', { operation: 'agent.Create', status });
    for (const { traceId } of traces) {
      const trace = await store.api<TraceResponse>(`traces/${traceId}`);
      const span = trace.spans.find(({ name, status }) => name === 'agent.Create' && status.message === message);
      if (span !== undefined) return { trace, span };
    }
    return undefined;
  }, 30_000);
}

function textsOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** The samples of a page of metrics: name and labels as printed, labels in the order of their names. */
async function samples(url: string): Promise<Map<string, number>> {
  const lines = (await (await fetch(url)).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', labels = '', value = ''] = /^([^{\s]+)(?:\{(.*)\})?\s(\S+)/.exec(line) ?? [];
      const sorted = [...labels.matchAll(/([A-Za-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([pair]) => pair).sort();
      return [`${name}{${sorted.join(',')}}`, Number(value)];
    }),
  );
}

function valuesOf(page: ReadonlyMap<string, number>, name: string, ...labels: string[]): number[] {
  return [...page]
    .filter(([series]) => series.startsWith(`${name}{`) && labels.every((label) => series.includes(label)))
    .map(([, value]) => value);
}

test("creating an agent is one trace over both programs, with the document's names", async () => {
  const { trace, span } = await createTrace('OK', '');
  expect(textsOf(span.attributes)).toMatchObject({
    'project.id': 'p1',
    'agent.name': 'helper',
    'agent.framework': 'langgraph',
    'agent.id': agentId,
  });
  await eventually(async () => {
    const { spans } = await store.api<TraceResponse>(`traces/${trace.traceId}`);
    return spans.some(({ name, service }) => name === 'agent.Deploy' && service === 'agentstack-worker')
      ? true
      : undefined;
  }, 20_000);
  const root = trace.spans.find(({ parentSpanId }) => parentSpanId === '');
  expect(root).toMatchObject({ service: 'agentstack-api', kind: 'SERVER', name: 'POST /v1/projects/:project/agents' });
  expect(textsOf(trace.resources[root?.resource ?? 0]?.attributes ?? [])).toMatchObject({
    'service.name': 'agentstack-api',
    'service.version': '0.1.0',
    'deployment.environment': 'production',
  });
});

test('what fails is recorded with its exception', async () => {
  for (const [message, type] of [
    ['validation failed', 'InvalidInputError'],
    ['create failed', 'DuplicateAgentError'],
  ] as const) {
    const { span } = await createTrace('ERROR', message);
    const exception = span.events.find(({ name }) => name === 'exception');
    expect(textsOf(exception?.attributes ?? [])).toMatchObject({ 'exception.type': type });
  }
});

test('log lines have the trace, on standard output and behind Loki', async () => {
  const { span } = await createTrace('OK', '');
  expect(platform.logLines).toContainEqual(
    expect.objectContaining({
      msg: 'creating agent',
      level: 'info',
      name: 'helper',
      framework: 'langgraph',
      trace_id: span.traceId,
      span_id: span.spanId,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    }),
  );
  const found = await eventually(async () => {
    const { logs } = await store.api<LogSearchResponse>('logs', { traceId: span.traceId });
    return logs.length >= 3 ? logs : undefined;
  }, 30_000);
  expect(JSON.stringify(found)).toContain('agent created');
});

test('metrics are on both pages under their names, with the same values', async () => {
  const path = 'path="/v1/agents/{id}/chat"';
  const own = await samples(`${platform.url}/metrics`);
  expect(valuesOf(own, 'http_requests_total', path, 'method="POST"', 'status="200"')).toEqual([3]);
  expect(valuesOf(own, 'http_requests_total', 'status="409"')).toEqual([1]);
  expect(valuesOf(own, 'http_request_duration_seconds_count', path)).toEqual([3]);
  expect(valuesOf(own, 'http_request_duration_seconds_bucket', path, 'le="2.5"')).toHaveLength(1);
  expect(valuesOf(own, 'agents_active', 'framework="langgraph"')).toEqual([1]);
  const worker = await samples(`${platform.workerUrl}/metrics`);
  const labels = [`agent_id="${agentId}"`, 'project_id="p1"', 'model="gpt-4o-mini"'];
  const [tokens = 0] = valuesOf(worker, 'chat_tokens_total', ...labels);
  const [input = 0] = valuesOf(worker, 'llm_tokens_input_total');
  const [output = 0] = valuesOf(worker, 'llm_tokens_output_total');
  expect(input).toBeGreaterThan(0);
  expect(tokens).toBe(input + output);
  expect(valuesOf(worker, 'llm_calls_total', 'status="ok"')).toEqual([3]);
  expect(valuesOf(worker, 'llm_call_duration_seconds_bucket', 'le="30"')).toEqual([3]);
  await eventually(async () => {
    const collected = await samples(scrapeUrl);
    const same = (name: string, ...labels: string[]) =>
      expect(valuesOf(collected, `agentstack_${name}`, ...labels)).toEqual(valuesOf(own, name, ...labels));
    try {
      same('http_requests_total', path, 'status="200"');
      same('http_requests_total', 'status="400"');
      same('http_request_duration_seconds_count', path);
      same('agents_active');
      for (const name of ['chat_tokens_total', 'llm_calls_total', 'llm_call_duration_seconds_count'])
        expect(valuesOf(collected, `agentstack_${name}`)).toEqual(valuesOf(worker, name));
    } catch {
      return undefined;
    }
    return true;
  }, 20_000);
});

describe('what is deployed', () => {
  test('the configuration in the Kubernetes manifest is the one that was tested', () => {
    const documents = parseAllDocuments(read('kubernetes/otel-collector.yaml')).map((document) => document.toJS());
    const [, map, deployment] = documents;
    expect(parse(map.data['otel-collector-config.yaml'])).toEqual(parse(read('collector/agentstack.yaml')));
    const { replicas, template } = deployment.spec;
    expect(replicas).toBe(2);
    const [container] = template.spec.containers;
    expect(container.args).toContain('--config=/conf/otel-collector-config.yaml');
    expect(container.ports.map(({ containerPort }: { containerPort: number }) => containerPort)).toEqual(
      expect.arrayContaining([4317, 4318, 8889]),
    );
    expect(container.resources).toEqual({
      requests: { cpu: '200m', memory: '256Mi' },
      limits: { cpu: '1000m', memory: '1Gi' },
    });
  });

  test('every query of the dashboards is PromQL, and asks for metrics that are there', async () => {
    const targets = ['agentstack', 'api-performance'].flatMap((name) =>
      (JSON.parse(read(`grafana/dashboards/${name}.json`)) as Dashboard).panels
        .filter(({ datasource }) => datasource?.type === 'prometheus')
        .flatMap((panel) => panel.targets ?? []),
    );
    expect(targets.length).toBeGreaterThan(15);
    const pages = await Promise.all([platform.url, platform.workerUrl].map((url) => samples(`${url}/metrics`)));
    const names = new Set(pages.flatMap((page) => [...page.keys()].map((series) => series.replace(/\{.*/, ''))));
    for (const { expr } of targets) {
      parsePromql(
        expr
          .replaceAll(/\$\{prefix\}/g, '')
          .replaceAll('$__rate_interval', '5m')
          .replaceAll('$service', 'agentstack-api'),
      );
      for (const [, name = ''] of expr.matchAll(/\$\{prefix\}([a-z_]+)/g)) expect([...names]).toContain(name);
    }
  });

  test('a probe of the manifest is answered, whatever name it asks under', async () => {
    for (const probe of ['/-/ready', '/-/healthy']) expect((await fetch(collector.page + probe)).status).toBe(200);
  });

  test.each([
    ['check', 'alerts/agentstack.yaml', 'no problem'],
    ['test', 'alerts/agentstack.test.yaml', 'passed'],
  ])('signalbox rules %s %s', (command, file, said) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [binary, 'rules', command, deploy(file)], {
      encoding: 'utf8',
    });
    expect(stdout + stderr).toContain(said);
    expect(status).toBe(0);
  });
});
