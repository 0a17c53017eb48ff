import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Labels } from '../../query/promql/labels.ts';
import { SeriesCatalog } from '../../query/promql-store/series-catalog.ts';
import { OtlpStore } from '../../query/promql-store/testing/otlp-store.ts';
import { DEFAULT_TRANSLATION } from '../../query/promql-store/translation.ts';
import { QueryRegistry } from '../query-registry.ts';
import type { Schema } from './describe-route.ts';
import { createPrometheusApi } from './prometheus-api.ts';
import { PrometheusParameters } from './prometheus-parameters.ts';
import { misfitsOf } from './testing/fits-schema.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    name: string;
    in: 'path' | 'query';
    required: boolean;
    schema: Schema;
    example?: string | string[];
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> };
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: Schema }> }>>;
}

interface Description {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly { url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<'get' | 'post', Operation>>>>;
  readonly components: { readonly schemas: { readonly Error: Schema } };
}

let otlp: OtlpStore;
let server: Server;
let base: string;
let description: Description;
const bugs: unknown[] = [];

beforeAll(async () => {
  otlp = await OtlpStore.open();
  const now = `${Date.now()}000000`;
  const exemplars = [{ timeUnixNano: now, asDouble: 1, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }];
  await otlp.insert({ 'service.name': 'shop', 'service.instance.id': 'a:1' }, [
    {
      name: 'up',
      description: 'Whether it is.',
      gauge: { dataPoints: [{ timeUnixNano: now, asDouble: 1, exemplars }] },
    },
  ]);
  const labels = Labels.from(Object.entries({ job: 'shop', instance: 'a:1' }));
  const rule = {
    sourceLabels: [],
    separator: ';',
    pattern: '(.*)',
    modulus: 0,
    targetLabel: 'a',
    replacement: 'b',
    action: 'replace',
  };
  const evaluated = { health: 'ok', lastError: '', lastEvaluationMs: 1, evaluationMs: 2 } as const;
  const alert = { labels, annotations: labels, state: 'firing', activeAtMs: 1, value: 1 } as const;
  const firing = {
    ...evaluated,
    kind: 'alerting',
    name: 'Down',
    query: 'up == 0',
    labels,
    annotations: labels,
    state: 'firing',
    forMs: 0,
    keepFiringForMs: 0,
    alerts: [alert],
  } as const;
  const group = {
    name: 'g',
    file: 'f',
    intervalMs: 1,
    limit: 0,
    lastEvaluationMs: 1,
    evaluationMs: 1,
    rules: [firing],
  };
  const target = {
    pool: 'shop',
    url: 'http://a:1/metrics',
    labels,
    discoveredLabels: labels,
    health: 'up',
    lastError: '',
    lastScrapeMs: 1,
    lastScrapeDurationMs: 1,
    intervalMs: 1,
    timeoutMs: 1,
  } as const;
  const handle = createPrometheusApi({
    connection: otlp.store.connection,
    registry: new QueryRegistry(),
    catalog: new SeriesCatalog(DEFAULT_TRANSLATION, { maxSeries: 100, maxCached: 100 }),
    engine: { maxSamples: 10_000 },
    maxExecutionMs: 20_000,
    status: { version: '1.2.3', startedAtMs: 1_000, settings: { port: '4319' }, retention: '7d' },
    rules: { groups: () => [group], alertmanagers: () => ['http://b:9093/'] },
    targets: {
      pools: () => [{ name: 'shop', yaml: 'a: b\n', relabelSteps: () => [{ rule, labels, keep: true }] }],
      active: () => [target],
      dropped: () => [target],
    },
    allowedHosts: [],
    corsOrigins: [],
    onError: (error) => bugs.push(error),
  });
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await fetch(`${base}/api/v1/openapi.yaml`);
  expect(answer.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
  description = parse(await answer.text()) as Description;
});

afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await otlp?.close();
  expect(bugs).toEqual([]);
});

/** Asks as the description says, with every parameter that has to be there. */
async function ask(path: string, method: 'get' | 'post', operation: Operation, root: string): Promise<Response> {
  const filled = path.replace('{name}', 'job');
  const { parameters = [], requestBody } =
    method === 'get' ? operation : { ...description.paths[path]?.get, ...operation };
  const fields = new URLSearchParams(
    parameters.flatMap(({ name, in: place, example = [] }) =>
      place === 'path' ? [] : [example].flat().map((value) => [name, value]),
    ),
  );
  if (method === 'get') return await fetch(`${base}${root}${filled}?${fields}`);
  const [type = ''] = Object.keys(requestBody?.content ?? {});
  // A message without fields, in Snappy's form of nothing.
  const body = type === 'application/x-protobuf' ? new Uint8Array(1) : fields.toString();
  return await fetch(`${base}${root}${filled}`, { method: 'POST', body, headers: { 'content-type': type } });
}

test('each path that is described answers, and with what is said of it', async () => {
  expect(description).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  expect(Object.keys(description.paths).length).toBeGreaterThan(25);
  for (const { url } of description.servers) {
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const [method, operation] of Object.entries(operations) as ['get' | 'post', Operation][]) {
        const answer = await ask(path, method, operation, url);
        const said = operation.responses['200']?.content ?? {};
        const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
        expect([path, method, answer.status, type]).toEqual([path, method, 200, Object.keys(said)[0]]);
        const body: unknown = type === 'application/json' ? await answer.json() : await answer.text();
        expect([path, method, misfitsOf(said[type]?.schema ?? {}, body)]).toEqual([path, method, []]);
      }
    }
  }
});

test('what has to be there, has to, and what is wrong is an error as described', async () => {
  const refused: string[] = [];
  for (const [path, { get }] of Object.entries(description.paths)) {
    for (const { name } of get?.parameters?.filter((one) => one.in === 'query' && one.required) ?? []) {
      const others = (get.parameters ?? []).filter((one) => one.name !== name);
      const answer = await ask(path, 'get', { ...get, parameters: others }, '/api/v1');
      expect([path, name, answer.status]).toEqual([path, name, 400]);
      expect(get.responses).toHaveProperty('400');
      expect(misfitsOf(description.components.schemas.Error, await answer.json())).toEqual([]);
      refused.push(`${path} ${name}`);
    }
  }
  expect(refused).toContain('/query_range step');
});

test('operations have names of their own', () => {
  const ids = Object.values(description.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('label-name-values');
});

test('the newer OpenAPI, for those who ask for it', async () => {
  const answer = await fetch(`${base}/api/v1/openapi.yaml?openapi_version=3.2`);
  expect(parse(await answer.text())).toEqual({ ...description, openapi: '3.2.0' });
});

test('a route can read no parameter that it does not describe', () => {
  const parameters = new PrometheusParameters(new URLSearchParams('a=1'), []);
  expect(() => parameters.text('a')).toThrow('reads the parameter a, which it does not describe');
});

test('a schema tells what does not fit', () => {
  const schema: Schema = {
    type: 'object',
    required: ['a', 'b'],
    properties: { a: { type: 'integer' }, c: { type: 'array', items: { type: 'string', enum: ['x'] } } },
    additionalProperties: { type: 'string' },
  };
  expect(misfitsOf(schema, { a: 1.5, c: ['x', 'y'], d: 1 })).toEqual([
    '$.b is missing',
    '$.a is number, not integer',
    '$.c[1] is y',
    '$.d is number, not string',
  ]);
});
