import { decodeZipkin } from '@signalbox/protocols';
import type { ReceiverFactory } from '../../pipeline/component-factory.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { consumeBatch } from '../http/consume-batch.ts';
import { HttpIngest, type IngestAnswer, type IngestRequest } from '../http/http-ingest.ts';
import { IngestServer, readIngestServer } from '../http/ingest-server.ts';
import { overloaded } from '../otlp/body-collector.ts';
import { InFlightBytes } from '../otlp/in-flight-bytes.ts';

/** Texts of a parsed body, and the batch that is made of them. */
const MEMORY_FACTOR = 5;

/** `zipkin`: spans as Zipkin's libraries report them (`POST /api/v2/spans` in JSON). */
export const zipkinReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'zipkin',
  signals: ['traces'],
  configure(settings) {
    const server = readIngestServer(settings, 'localhost:9411');
    if (settings.boolean('parse_string_tags', false)) {
      throw settings.fail('parse_string_tags', 'not supported: tags are texts in Zipkin, and stay so');
    }
    const maxInFlightBytes = settings.size('max_in_flight_size', '128MiB');
    return {
      create(context, next) {
        const ingest = new HttpIngest({
          routes: new Map([['/api/v2/spans', (request: IngestRequest) => take(request, next)]]),
          maxBytes: Math.min(server.maxBytes, maxInFlightBytes),
          inFlight: new InFlightBytes(maxInFlightBytes),
          authenticator: server.authenticator && context.serverAuthenticator(server.authenticator),
          onInternalError: (error) => context.log.error('A request failed for a reason of ours', error),
        });
        return new IngestServer(server, ingest, 'Zipkin', `endpoint of receiver ${context.id}`);
      },
    };
  },
};

async function take(request: IngestRequest, next: Consumers): Promise<IngestAnswer> {
  if (!['', 'application/json'].includes(request.contentType)) {
    return { status: 415, body: `unsupported content type "${request.contentType}"; send application/json\n` };
  }
  if (!request.reservation.grow(request.body.length * MEMORY_FACTOR)) throw overloaded();
  const batch = decodeZipkin(request.body);
  if (batch.rowCount === 0) return { status: 202 };
  const { rejected, reason } = await consumeBatch(next.traces, batch, request);
  if (rejected > 0) throw new SignalboxError('invalid_argument', `${rejected} spans were not stored: ${reason}`);
  return { status: 202 };
}
