import type { OutgoingHttpHeaders } from 'node:http';
import {
  type DecodedRemoteWrite,
  decodeRemoteWrite,
  decodeSnappy,
  type RemoteWriteVersion,
} from '@signalbox/protocols';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ReceiverFactory } from '../../pipeline/component-factory.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { consumeBatch } from '../http/consume-batch.ts';
import { HttpIngest, type IngestAnswer, type IngestRequest } from '../http/http-ingest.ts';
import { IngestServer, type IngestServerSettings, readIngestServer } from '../http/ingest-server.ts';
import { overloaded } from '../otlp/body-collector.ts';
import { InFlightBytes } from '../otlp/in-flight-bytes.ts';

const PROTO_OF_VERSION: Readonly<Record<RemoteWriteVersion, string>> = {
  '1.0': 'prometheus.WriteRequest',
  '2.0': 'io.prometheus.write.v2.Request',
};

/** Decoded series as objects take a multiple of their bytes. */
const MEMORY_FACTOR = 6;

/** `prometheusremotewrite`: what Prometheus and its agents write (`POST /api/v1/write`), remote write 1.0 and 2.0. */
export const prometheusRemoteWriteReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'prometheusremotewrite',
  signals: ['metrics'],
  configure(settings) {
    const server = readIngestServer(settings, 'localhost:9090');
    const maxInFlightBytes = settings.size('max_in_flight_size', '128MiB');
    return { create: (context, next) => createReceiver(server, maxInFlightBytes, context, next) };
  },
};

function createReceiver(
  server: IngestServerSettings,
  maxInFlightBytes: number,
  context: ComponentContext,
  next: Consumers,
): IngestServer {
  const ingest = new HttpIngest({
    routes: new Map([['/api/v1/write', (request: IngestRequest) => write(request, next)]]),
    maxBytes: Math.min(server.maxBytes, maxInFlightBytes),
    inFlight: new InFlightBytes(maxInFlightBytes),
    authenticator: server.authenticator && context.serverAuthenticator(server.authenticator),
    onInternalError: (error) => context.log.error('A request failed for a reason of ours', error),
  });
  return new IngestServer(server, ingest, 'remote write', `endpoint of receiver ${context.id}`);
}

async function write(request: IngestRequest, next: Consumers): Promise<IngestAnswer> {
  const version = versionOf(request);
  if (version === null) {
    return {
      status: 415,
      body: `unsupported content type; send application/x-protobuf;proto=${PROTO_OF_VERSION['2.0']}\n`,
    };
  }
  if (request.contentEncoding !== 'snappy') {
    return { status: 415, body: `unsupported content encoding "${request.contentEncoding}"; send snappy\n` };
  }
  const { body, maxBytes, reservation } = request;
  const message = decodeSnappy(body, maxBytes);
  if (!reservation.grow(message.length * MEMORY_FACTOR)) throw overloaded();
  const decoded = decodeRemoteWrite(message, version);
  const { batch } = decoded;
  const { rejected, reason } =
    batch.rowCount === 0 ? { rejected: 0, reason: '' } : await consumeBatch(next.metrics, batch, request);
  const headers = version === '2.0' ? writtenHeaders(decoded, rejected) : {};
  if (rejected === 0) return { status: 204, headers };
  return { status: 400, headers, body: `${rejected} points were not stored: ${reason}\n` };
}

/** Remote write 2.0, "Required Written Response Headers". What was left out is counted as samples first. */
function writtenHeaders({ written }: DecodedRemoteWrite, rejected: number): OutgoingHttpHeaders {
  const samples = Math.max(0, written.samples - rejected);
  const histograms = Math.max(0, written.histograms - Math.max(0, rejected - written.samples));
  return {
    'X-Prometheus-Remote-Write-Samples-Written': samples,
    'X-Prometheus-Remote-Write-Histograms-Written': histograms,
    'X-Prometheus-Remote-Write-Exemplars-Written': written.exemplars,
  };
}

/** By the parameter `proto` of the content type, as both versions agree; without it 1.0. Null: neither. */
function versionOf({ contentType, headers }: IngestRequest): RemoteWriteVersion | null {
  if (contentType !== 'application/x-protobuf') return null;
  const proto = /;\s*proto\s*=\s*"?([\w.]+)"?/i.exec(String(headers['content-type']))?.[1];
  if (proto === undefined || proto === PROTO_OF_VERSION['1.0']) return '1.0';
  return proto === PROTO_OF_VERSION['2.0'] ? '2.0' : null;
}
