// Both sides of the sandbox read and write it, so it needs nothing that only one of them has.

/** The header in which all of Temporal's SDKs carry a trace. */
const name = '_tracer-data';

/** Bytes: baggage may have 8,192, a trace some hundreds. */
const maxBytes = 16_384;

/** What of a payload is needed: https://github.com/temporalio/api/blob/master/temporal/api/common/v1/message.proto */
interface Payload {
  readonly metadata?: Readonly<Record<string, Uint8Array>> | null;
  readonly data?: Uint8Array | null;
}

/** Headers of an input of Temporal's interceptors. */
export type TemporalHeaders = Readonly<Record<string, unknown>>;

/** What a propagator reads and writes. */
export type TraceCarrier = Record<string, string>;

/** The same headers with the carrier in them, as Temporal's own `json/plain` payload. */
export function withCarrier(headers: TemporalHeaders | undefined, carrier: TraceCarrier): TemporalHeaders {
  const encoder = new TextEncoder();
  const payload: Payload = {
    metadata: { encoding: encoder.encode('json/plain') },
    data: encoder.encode(JSON.stringify(carrier)),
  };
  return { ...headers, [name]: payload };
}

/** The carrier that the headers hold; undefined where they hold none, or something that is none. */
export function carrierOf(headers: TemporalHeaders | undefined): TraceCarrier | undefined {
  const payload = headers?.[name] as Payload | undefined;
  const data = payload?.data;
  if (!data || data.length === 0 || data.length > maxBytes) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder().decode(data));
  } catch {
    // Encrypted, or not of any SDK's making: no trace then.
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string'));
}
