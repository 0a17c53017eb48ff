import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { decodeExportRequest } from './otlp-protobuf.ts';

export interface SinkSpan {
  service: string;
  scope: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  start: bigint;
  end: bigint;
  attributes: Map<string, unknown>;
  events?: { name: string; attributes: Map<string, unknown> }[];
  status?: { code?: number; message?: string };
}

export interface SinkLog {
  service: string;
  severityNumber: number;
  severityText: string;
  body: unknown;
  traceId?: string;
  spanId?: string;
  attributes: Map<string, unknown>;
}

export interface SinkPoint {
  attributes: Map<string, unknown>;
  asDouble?: number;
  asInt?: number;
  count?: bigint;
  sum?: number;
  bucketCounts?: bigint[];
  explicitBounds?: number[];
  exemplars?: { traceId?: string; spanId?: string; asDouble?: number }[];
}

export interface SinkMetric {
  service: string;
  /** ms since 1970 when the request arrived. */
  arrived: number;
  name: string;
  description?: string;
  unit?: string;
  gauge?: { points: SinkPoint[] };
  sum?: { points: SinkPoint[]; monotonic?: boolean; temporality?: number };
  histogram?: { points: SinkPoint[]; temporality?: number };
}

/** An OTLP/HTTP receiver that keeps all it gets. */
export class OtlpSink {
  readonly spans: SinkSpan[] = [];
  readonly logs: SinkLog[] = [];
  readonly metrics: SinkMetric[] = [];
  readonly resources: Map<string, unknown>[] = [];
  readonly contentTypes = new Set<string | undefined>();
  /** Why requests were refused; a test expects none. */
  readonly failures: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.contentTypes.add(request.headers['content-type']);
        const sent = Buffer.concat(chunks);
        try {
          this.#keep(request.url ?? '', request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent);
          response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
        } catch (error) {
          this.failures.push(String(error));
          response.writeHead(400).end();
        }
      });
    });
  }

  static async listen(): Promise<OtlpSink> {
    const sink = new OtlpSink();
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server, 'listening');
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The newest state of a metric. */
  metric(name: string): SinkMetric | undefined {
    return this.metrics.findLast((metric) => metric.name === name);
  }

  /** Waits until `probe` finds something, because telemetry arrives a moment after what it tells of. */
  async eventually<Value>(what: string, probe: () => Value | undefined | false, timeoutMs = 15_000): Promise<Value> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value = probe();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > deadline) throw new Error(`${what} did not arrive within ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(path: string, body: Buffer): void {
    const { resources = [] } = decodeExportRequest(path, body) as {
      resources?: {
        resource?: { attributes: Map<string, unknown> };
        scopes?: { scope?: { name?: string }; records?: object[] }[];
      }[];
    };
    for (const { resource, scopes = [] } of resources) {
      const attributes = resource?.attributes ?? new Map<string, unknown>();
      this.resources.push(attributes);
      const service = String(attributes.get('service.name'));
      for (const { scope, records = [] } of scopes) {
        for (const record of records) {
          const kept = { ...record, service, scope: scope?.name ?? '', arrived: Date.now() };
          if (path === '/v1/traces') this.spans.push(kept as unknown as SinkSpan);
          else if (path === '/v1/logs') this.logs.push(kept as unknown as SinkLog);
          else this.metrics.push(kept as unknown as SinkMetric);
        }
      }
    }
  }
}
