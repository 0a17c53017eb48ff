import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decodeLogs, decodeMetrics, decodeTraces, OtlpDecodeError } from '@signalbox/otlp';
import { logObjects, type MetricPointObject, metricPointObjects, spanObjects } from '@signalbox/records';
import { type RecordedLog, recordedLog } from './recorded-log.ts';
import { recordedMetrics } from './recorded-metric.ts';
import { type RecordedSpan, recordedSpan } from './recorded-span.ts';
import { Recording } from './recording.ts';

/** Requests below this path are of the process that the receiver itself is in, which must not trace them. */
export const OWN_PATH = `/own-${randomUUID()}`;
/** Bytes of one request, before and after unpacking. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface WaitOptions {
  /** Default 5,000. */
  readonly timeoutMillis?: number;
}

/**
 * An OTLP/HTTP receiver (protobuf or JSON, gzip or not) on a loopback port of its own, which keeps what it is sent. For
 * services that a test starts as processes, in any language, and for any SDK; `recordTelemetry` does the rest for the
 * process of the test itself.
 */
export class TelemetryReceiver {
  #spans: RecordedSpan[] = [];
  #logs: RecordedLog[] = [];
  #points: MetricPointObject[] = [];
  readonly #arrived = new Set<() => void>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async listen(): Promise<TelemetryReceiver> {
    const server = createServer();
    const receiver = new TelemetryReceiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  /** Base URL, to which a signal's path is appended. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Environment variables that make any OpenTelemetry SDK send here, quickly: for the processes of a test. */
  get environment(): Readonly<Record<string, string>> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    };
  }

  /** What has arrived so far. */
  recording(): Recording {
    return new Recording(this.#spans, this.#logs, recordedMetrics(this.#points));
  }

  /**
   * Resolves with the recording as soon as it satisfies `condition`: at once, or when more arrives. A condition that throws
   * (an assertion) counts as not yet satisfied; when time is up, what it threw is the cause.
   */
  async waitFor(
    condition: (recording: Recording) => unknown,
    { timeoutMillis = 5_000 }: WaitOptions = {},
  ): Promise<Recording> {
    const deadline = Date.now() + timeoutMillis;
    for (;;) {
      const recording = this.recording();
      let reason: unknown;
      try {
        if (condition(recording) !== false) return recording;
      } catch (error) {
        reason = error;
      }
      if (!(await this.#moreBefore(deadline))) {
        const { spans, logs, metrics } = recording;
        const what = `${spans.length} spans, ${logs.length} log records and ${metrics.length} metrics arrived`;
        const why = reason instanceof Error ? `: ${reason.message}` : '';
        throw new Error(`waited ${timeoutMillis} ms in vain; ${what}${why}`, { cause: reason });
      }
    }
  }

  /** Forgets what has arrived. */
  reset(): void {
    this.#spans = [];
    this.#logs = [];
    this.#points = [];
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** False when nothing more arrived until `deadline`. */
  #moreBefore(deadline: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (answer: boolean) => {
        clearTimeout(timer);
        this.#arrived.delete(onArrival);
        resolve(answer);
      };
      const onArrival = () => done(true);
      const timer = setTimeout(() => done(false), Math.max(0, deadline - Date.now()));
      this.#arrived.add(onArrival);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    readBody(request)
      .then((body) => {
        const isJson = request.headers['content-type']?.startsWith('application/json') === true;
        if (!this.#keep(request.url ?? '', body, isJson ? 'json' : 'protobuf'))
          return void response.writeHead(404).end();
        response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf');
        response.end(isJson ? '{}' : '');
        for (const wake of [...this.#arrived]) wake();
      })
      .catch((error: unknown) => {
        const isBad = error instanceof OtlpDecodeError || error instanceof RangeError;
        response.writeHead(isBad ? 400 : 500).end(error instanceof Error ? error.message : String(error));
      });
  }

  /** False when `path` is none of the three signals'. */
  #keep(path: string, body: Uint8Array, encoding: 'protobuf' | 'json'): boolean {
    switch (path.startsWith(OWN_PATH) ? path.slice(OWN_PATH.length) : path) {
      case '/v1/traces':
        this.#spans.push(...spanObjects(decodeTraces(body, encoding).batch).map(recordedSpan));
        return true;
      case '/v1/logs':
        this.#logs.push(...logObjects(decodeLogs(body, encoding).batch).map(recordedLog));
        return true;
      case '/v1/metrics':
        this.#points.push(...metricPointObjects(decodeMetrics(body, encoding).batch));
        return true;
      default:
        return false;
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`the request is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const sent = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent, { maxOutputLength: MAX_BODY_BYTES }) : sent;
}
