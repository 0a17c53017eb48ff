import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeLokiJson, decodeLokiProtobuf, decodeSnappy, ProtocolDecodeError } from '@signalbox/protocols';
import type { LogBatch } from '@signalbox/records';
import type { Component, ListeningAddress } from '../../pipeline/component.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ReceiverFactory } from '../../pipeline/component-factory.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { consumeBatch } from '../http/consume-batch.ts';
import { HttpIngest, type IngestAnswer, type IngestRequest } from '../http/http-ingest.ts';
import { IngestServer, type IngestServerSettings, readIngestServer, readMaxBytes } from '../http/ingest-server.ts';
import { overloaded } from '../otlp/body-collector.ts';
import { InFlightBytes } from '../otlp/in-flight-bytes.ts';

interface LokiSettings {
  /** null: no port of its own. */
  readonly server: IngestServerSettings | null;
  readonly pagePort: boolean;
  readonly maxBytes: number;
  readonly maxInFlightBytes: number;
  readonly useIncomingTimestamp: boolean;
}

/** `loki`: what Promtail, Alloy and other clients of Loki push (`POST /loki/api/v1/push`). */
export const lokiReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'loki',
  signals: ['logs'],
  configure(settings) {
    const protocols = settings.table('protocols');
    const http = protocols.optionalTable('http');
    if (protocols.has('grpc')) throw protocols.fail('grpc', 'not supported: clients of Loki push over HTTP');
    const pagePort = settings.boolean('page_port', false);
    if (http === null && !pagePort) throw settings.fail('protocols', 'name protocols::http, or set page_port');
    const server = http && readIngestServer(http, 'localhost:3500');
    const read: LokiSettings = {
      server,
      pagePort,
      maxBytes: server?.maxBytes ?? readMaxBytes(settings),
      maxInFlightBytes: settings.size('max_in_flight_size', '128MiB'),
      useIncomingTimestamp: settings.boolean('use_incoming_timestamp', true),
    };
    return { create: (context, next) => new LokiReceiver(read, context, next) };
  },
};

class LokiReceiver implements Component {
  readonly handle: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly #settings: LokiSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumers;
  readonly #ingest: HttpIngest;
  readonly #server: IngestServer | null;

  constructor(settings: LokiSettings, context: ComponentContext, next: Consumers) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    const { server, maxBytes, maxInFlightBytes, pagePort } = settings;
    const push = (request: IngestRequest) => this.#push(request);
    this.#ingest = new HttpIngest({
      routes: new Map([['/loki/api/v1/push', push]]),
      maxBytes: Math.min(maxBytes, maxInFlightBytes),
      inFlight: new InFlightBytes(maxInFlightBytes),
      authenticator: server?.authenticator ? context.serverAuthenticator(server.authenticator) : null,
      onInternalError: (error) => context.log.error('A request failed for a reason of ours', error),
    });
    this.#server =
      server && new IngestServer(server, this.#ingest, 'Loki', `protocols::http::endpoint of receiver ${context.id}`);
    this.handle = pagePort ? (request, response) => this.#ingest.handle(request, response) : undefined;
  }

  get addresses(): readonly ListeningAddress[] {
    return this.#server?.addresses ?? [];
  }

  async start(): Promise<void> {
    await this.#server?.start();
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#ingest.stop();
    await this.#server?.shutdown(deadlineMs);
  }

  async #push(request: IngestRequest): Promise<IngestAnswer> {
    const batch = decodePush(request);
    const now = BigInt(this.#context.now()) * 1_000_000n;
    batch.observedTime.values.fill(now, 0, batch.rowCount);
    if (!this.#settings.useIncomingTimestamp) batch.time.values.fill(now, 0, batch.rowCount);
    if (batch.rowCount === 0) return { status: 204 };
    const { rejected, reason } = await consumeBatch(this.#next.logs, batch, request);
    // Loki stores what it can and answers 400 for the rest, which clients do not send again.
    return rejected === 0 ? { status: 204 } : { status: 400, body: `${rejected} entries were not stored: ${reason}\n` };
  }
}

function decodePush(request: IngestRequest): LogBatch {
  const { contentType, contentEncoding, body, reservation, maxBytes } = request;
  if (!['identity', 'gzip', 'x-gzip', 'deflate', 'zstd', 'snappy'].includes(contentEncoding)) {
    throw new ProtocolDecodeError(`Content-Encoding "${contentEncoding}" not supported`);
  }
  if (contentType === 'application/json') {
    if (contentEncoding === 'snappy') throw new ProtocolDecodeError('Content-Encoding "snappy" not supported');
    // Texts of a parsed body, and the batch that is made of them.
    if (!reservation.grow(body.length * 4)) throw overloaded();
    return decodeLokiJson(body);
  }
  // Without a type, and with any other, Loki too expects its own messages.
  const message = decodeSnappy(body, maxBytes);
  if (!reservation.grow(message.length * 2)) throw overloaded();
  return decodeLokiProtobuf(message);
}
