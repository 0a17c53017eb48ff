import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { eventually } from './signalbox-process.ts';

// The example runtime sends its traces to a Jaeger that is not ours, and Jaeger is asked what it understood. No package of
// Debian's or npm's has it: SIGNALBOX_JAEGER names the program, built from cmd/jaeger of github.com/jaegertracing/jaeger.

const program = process.env.SIGNALBOX_JAEGER ?? '';
const example = fileURLToPath(new URL('../examples/wippy/dist/main.js', import.meta.url));

interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  /** What it found odd, such as clocks that differ or parents that are missing. */
  readonly warnings: readonly string[] | null;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const configuration = (query: number, queryGrpc: number, http: number, grpc: number): string => `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {metrics: {level: none}}
extensions:
  jaeger_storage: {backends: {memory: {memory: {max_traces: 1000}}}}
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "127.0.0.1:${query}"}
    grpc: {endpoint: "127.0.0.1:${queryGrpc}"}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:${http}"}, grpc: {endpoint: "127.0.0.1:${grpc}"}}}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
`;

const tag = (span: JaegerSpan | undefined, key: string): unknown =>
  span?.tags.find((candidate) => candidate.key === key)?.value;
const parentOf = (span: JaegerSpan | undefined): string | undefined =>
  span?.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID;

describe.skipIf(program === '').each(['http/protobuf', 'grpc'])(
  'a real Jaeger over %s (skipped unless SIGNALBOX_JAEGER names the program)',
  (protocol) => {
    let folder: string;
    let jaeger: Child;
    let wippy: Child;
    let query = '';
    const traceIds: string[] = [];

    beforeAll(async () => {
      if (!existsSync(program)) throw new Error(`SIGNALBOX_JAEGER names no program: ${program}`);
      folder = mkdtempSync(join(tmpdir(), 'signalbox-jaeger-'));
      const [queryPort = 0, queryGrpc = 0, http = 0, grpc = 0] = await freePorts(4);
      writeFileSync(join(folder, 'jaeger.yaml'), configuration(queryPort, queryGrpc, http, grpc));
      jaeger = new Child(program, ['--config', join(folder, 'jaeger.yaml')]);
      await jaeger.waitFor(/Everything is ready/);
      query = `http://127.0.0.1:${queryPort}`;
      wippy = new Child(process.execPath, [example], {
        WIPPY_PORT: '0',
        OTEL_SERVICE_NAME: 'wippy',
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${protocol === 'grpc' ? grpc : http}`,
        // Jaeger takes traces only.
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      });
      const url = (await wippy.waitFor(/"url":"(http:[^"]+)".*wippy listens/))[1] ?? '';
      for (const body of ['{"order":7}', '"fail"']) {
        const response = await fetch(`${url}/pub`, { method: 'POST', body });
        await response.arrayBuffer();
        expect(response.status).toBe(200);
        traceIds.push(response.headers.get('x-trace-id') ?? '');
      }
    });
    afterAll(async () => {
      await wippy?.stop();
      // Asked to end, it waits ten seconds for idle connections; it keeps nothing.
      await jaeger?.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });

    async function ask<Data>(path: string): Promise<Data | undefined> {
      const response = await fetch(new URL(path, query));
      if (response.status === 404) return undefined;
      expect(response.status).toBe(200);
      return ((await response.json()) as { data: Data | null }).data ?? undefined;
    }

    async function traceOf(traceId: string | undefined, spans: number): Promise<JaegerTrace> {
      return await eventually(async () => {
        const [trace] = (await ask<JaegerTrace[]>(`/api/traces/${traceId}`)) ?? [];
        return trace !== undefined && trace.spans.length >= spans ? trace : undefined;
      });
    }

    test('request, function, publish, process and function are one trace, each the child of the one before', async () => {
      const { spans, processes, warnings } = await traceOf(traceIds[0], 5);
      const chain = [
        'POST app.api:pub.endpoint',
        'app.api:pub',
        'publish app:orders',
        'process app:orders',
        'app.jobs:fulfil',
      ];
      const found = chain.map((name) => spans.find(({ operationName }) => operationName === name));
      expect(spans).toHaveLength(chain.length);
      expect(found.map((span) => span?.traceID)).toEqual(chain.map(() => traceIds[0]));
      expect(found.map(parentOf)).toEqual([undefined, ...found.slice(0, -1).map((span) => span?.spanID)]);
      expect(found.map((span) => tag(span, 'span.kind'))).toEqual([
        'server',
        'internal',
        'producer',
        'consumer',
        'internal',
      ]);
      expect(found.map((span) => tag(span, 'error'))).toEqual(chain.map(() => undefined));
      expect(new Set(spans.map(({ processID }) => processes[processID]?.serviceName))).toEqual(new Set(['wippy']));
      expect(tag(found[0], 'http.response.status_code')).toBe(200);
      expect(tag(found[3], 'messaging.destination.name')).toBe('app:orders');
      // In microseconds; what is done for a request begins after it.
      for (const span of found) expect(span?.startTime).toBeGreaterThanOrEqual(found[0]?.startTime ?? Number.NaN);
      expect(warnings ?? []).toEqual([]);
    });

    test('a message that fails has its attempts in the trace of its request, as errors', async () => {
      const { spans } = await traceOf(traceIds[1], 9);
      const attempts = spans.filter(({ operationName }) => operationName === 'process app:orders');
      expect(attempts.map((span) => [tag(span, 'error'), tag(span, 'otel.status_code')])).toEqual(
        Array.from({ length: 3 }, () => [true, 'ERROR']),
      );
      const published = spans.find(({ operationName }) => operationName === 'publish app:orders');
      expect(attempts.map(parentOf)).toEqual(attempts.map(() => published?.spanID));
      expect(tag(published, 'error')).toBeUndefined();
    });

    test('Jaeger finds them by service and operation, and by an attribute', async () => {
      await traceOf(traceIds[1], 9);
      expect(await ask<string[]>('/api/services')).toEqual(['wippy']);
      const operations = await ask<{ name: string; spanKind: string }[]>('/api/operations?service=wippy');
      expect(operations).toContainEqual({ name: 'process app:orders', spanKind: 'consumer' });
      const byOperation = new URLSearchParams({ service: 'wippy', operation: 'POST app.api:pub.endpoint' });
      const found = await ask<JaegerTrace[]>(`/api/traces?${byOperation}`);
      expect(found?.map(({ spans }) => spans[0]?.traceID).sort()).toEqual([...traceIds].sort());
      const byTag = new URLSearchParams({ service: 'wippy', tags: '{"messaging.destination.name":"app:orders"}' });
      const tagged = await ask<JaegerTrace[]>(`/api/traces?${byTag}`);
      expect(tagged?.map(({ spans }) => spans[0]?.traceID).sort()).toEqual([...traceIds].sort());
    });
  },
);
