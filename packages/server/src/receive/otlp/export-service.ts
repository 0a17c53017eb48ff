import {
  type DecodeOptions,
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  encodeExportResponse,
  OtlpDecodeError,
  type Rejected,
} from '@signalbox/otlp';
import { type AnyBatch, BatchTooLargeError } from '@signalbox/records';
import { type ConsumeResult, type Consumer, mergeConsumeResults } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { type ErrorCode, SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import { ingestTurns } from '../ingest-turns.ts';
import { overloaded } from './body-collector.ts';
import { columnBytes } from './column-bytes.ts';
import type { InFlightBytes, InFlightReservation } from './in-flight-bytes.ts';
import { type OtlpSignal, type ReceivedCounters, receivedCounters } from './received-counters.ts';
import { sharedTextBytes } from './shared-text-bytes.ts';
import { type SpareBatches, SpareMemory } from './spare-memory.ts';

/** The two encodings of OTLP messages. */
export type OtlpEncoding = 'protobuf' | 'json';

export interface ExportServiceOptions {
  /** Where received batches go. A signal without a consumer is refused as one that does not exist here. */
  readonly consumers: Consumers;
  /** Limit of one request after decompression, in bytes. OTLP recommends 64 MiB. */
  readonly maxRequestBytes: number;
  /** All requests in memory at once, of all services that share it. */
  readonly inFlight: InFlightBytes;
  /** Told of rows that were left out because OTLP calls them invalid. */
  readonly onInvalidRows?: (signal: OtlpSignal, count: number) => void;
  /** Told of requests that are refused as a whole, and why. */
  readonly onRefusedRequest?: (signal: OtlpSignal, code: ErrorCode) => void;
  /** Told about errors that are ours, not the sender's: the sender reads only "Internal error". */
  readonly onInternalError: (error: unknown) => void;
}

interface ExportRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: OtlpEncoding;
  readonly abort: AbortSignal;
  readonly reservation: InFlightReservation;
}

type Decode<Batch> = (
  bytes: Uint8Array,
  encoding: OtlpEncoding,
  options: DecodeOptions<Batch>,
) => { readonly batch: Batch; readonly rejected: Rejected | null };

interface Consumed {
  /** Those that were rejected included. */
  readonly rows: number;
  readonly result: ConsumeResult;
}

/**
 * Longest reason sent to a client, in UTF-16 units. OTLP limits an answer to 4 MiB; a reason is for people, and the
 * longest escape in JSON makes six bytes of a unit.
 */
const MAX_REASON_LENGTH = 8_192;

/** What all OTLP transports do with a request body: decode, hand on, answer. Transports add framing and statuses. */
export class ExportService {
  readonly maxRequestBytes: number;
  readonly inFlight: InFlightBytes;
  readonly received: ReceivedCounters = receivedCounters();
  /** Of requests that have their answer. */
  readonly spare = new SpareMemory();
  readonly #consumers: Consumers;
  readonly #onInvalidRows: (signal: OtlpSignal, count: number) => void;
  readonly #onRefusedRequest: (signal: OtlpSignal, code: ErrorCode) => void;
  readonly #onInternalError: (error: unknown) => void;

  constructor(options: ExportServiceOptions) {
    // What can never fit must not be asked to try again.
    this.maxRequestBytes = Math.min(options.maxRequestBytes, options.inFlight.limit);
    this.inFlight = options.inFlight;
    this.#consumers = options.consumers;
    this.#onInvalidRows = options.onInvalidRows ?? (() => {});
    this.#onRefusedRequest = options.onRefusedRequest ?? (() => {});
    this.#onInternalError = options.onInternalError;
  }

  /** Whether anybody here takes the signal. */
  takes(signal: OtlpSignal): boolean {
    return this.#consumers[signal] !== undefined;
  }

  /**
   * Resolves with the encoded `Export…ServiceResponse` when what `body` holds is durable, partial success included.
   * Rejects with a `SignalboxError` when the request is refused as a whole. `body` is used up; what it grows to in memory
   * is added to `reservation`, which stays the caller's to release.
   */
  async export(
    signal: OtlpSignal,
    body: Uint8Array<ArrayBuffer>,
    encoding: OtlpEncoding,
    abort: AbortSignal,
    reservation: InFlightReservation,
  ): Promise<Uint8Array> {
    const count = this.received[signal];
    const request = { body, encoding, abort, reservation };
    const { rows, result } = await ingestTurns.run(() => this.#decodeAndConsume(signal, request), this.inFlight);
    count.accepted += rows - result.rejected;
    count.rejected += result.rejected;
    return encodeExportResponse(signal, partialSuccess(result), encoding);
  }

  /** Counts a request that is refused as a whole, and gives the error to speak of. */
  refused(signal: OtlpSignal, error: unknown): SignalboxError {
    this.received[signal].refusedRequests += 1;
    const refusal = toSignalboxError(error);
    this.#onRefusedRequest(signal, refusal.code);
    if (refusal.code === 'internal') {
      this.#onInternalError(error);
    }
    return refusal;
  }

  #decodeAndConsume(signal: OtlpSignal, request: ExportRequest): Promise<Consumed> {
    const { traces, metrics, logs } = this.#consumers;
    switch (signal) {
      case 'traces':
        return this.#take(signal, request, decodeTraces, consumer(traces), this.spare.spans);
      case 'metrics':
        return this.#take(signal, request, decodeMetrics, consumer(metrics), this.spare.metrics);
      case 'logs':
        return this.#take(signal, request, decodeLogs, consumer(logs), this.spare.logs);
    }
  }

  async #take<Batch extends AnyBatch>(
    signal: OtlpSignal,
    { body, encoding, abort, reservation }: ExportRequest,
    decode: Decode<Batch>,
    next: Consumer<Batch>,
    spare: SpareBatches<Batch>,
  ): Promise<Consumed> {
    // It may have waited for its turn.
    abort.throwIfAborted();
    const { batch, rejected } = decoded(() => decode(body, encoding, { into: spare.take() }));
    const columns = this.#reserveBatch(batch, body, reservation);
    const rows = batch.rowCount;
    const result = await next.consume(batch, abort);
    // The consumer had the batch for the length of the call.
    this.spare.keepBody(body);
    spare.keep(batch, columns);
    return this.#consumed(signal, rows, rejected, result);
  }

  /** Rows in the request, and what became of them in decoding and after it. */
  #consumed(signal: OtlpSignal, rows: number, rejected: Rejected | null, result: ConsumeResult): Consumed {
    if (rejected === null) {
      return { rows, result };
    }
    this.#onInvalidRows(signal, rejected.count);
    const invalid = { rejected: rejected.count, reason: rejected.reason };
    return { rows: rows + rejected.count, result: mergeConsumeResults([invalid, result]) };
  }

  /** Takes what the batch holds besides its body, and what its rows become on their way into a store. Returns the bytes of its columns. */
  #reserveBatch(batch: AnyBatch, body: Uint8Array, reservation: InFlightReservation): number {
    const columns = columnBytes(batch, body);
    const bytes = columns + sharedTextBytes(batch);
    if (bytes > this.inFlight.limit) {
      throw new SignalboxError('too_large', `The request's ${batch.rowCount} records take more memory than is allowed`);
    }
    if (!reservation.grow(bytes)) {
      throw overloaded();
    }
    return columns;
  }
}

/** Transports ask `takes` first. */
function consumer<Batch>(found: Consumer<Batch> | undefined): Consumer<Batch> {
  if (found === undefined) {
    throw new SignalboxError('unimplemented', 'Nobody takes this signal here');
  }
  return found;
}

function decoded<Decoded>(decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch (error) {
    if (error instanceof OtlpDecodeError) {
      throw new SignalboxError('invalid_argument', error.message, { cause: error });
    }
    if (error instanceof BatchTooLargeError) {
      throw new SignalboxError('too_large', error.message, { cause: error });
    }
    throw error;
  }
}

/** For `encodeExportResponse`: null when there is nothing to report. */
function partialSuccess({ rejected, reason }: ConsumeResult): ConsumeResult | null {
  if (rejected === 0 && reason === '') {
    return null;
  }
  if (reason.length <= MAX_REASON_LENGTH) {
    return { rejected, reason };
  }
  // Never half of a surrogate pair at the cut.
  return { rejected, reason: `${reason.slice(0, MAX_REASON_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…` };
}
