import { type AttributeEntry, type AttributeTable, SpanBatch, setAnyValue } from '@signalbox/records';
import { decoding, ProtocolDecodeError } from '../protocol-decode-error.ts';

const WHAT = 'Zipkin spans';

/** OTLP's numbers of kinds. */
const KINDS: ReadonlyMap<unknown, number> = new Map([
  ['SERVER', 2],
  ['CLIENT', 3],
  ['PRODUCER', 4],
  ['CONSUMER', 5],
]);
const INTERNAL = 1;
const STATUS_ERROR = 2;

type JsonObject = Record<string, unknown>;

/**
 * Decodes a list of spans of Zipkin's API v2 (zipkin-api, zipkin2-api.yaml) in JSON. Tags become attributes, annotations events, `localEndpoint`
 * the resource, `remoteEndpoint` the attributes `peer.service`, `network.peer.address` and `network.peer.port`; the tag `error` makes the span's status an
 * error. Throws ProtocolDecodeError.
 */
export function decodeZipkin(bytes: Uint8Array): SpanBatch {
  return decoding(WHAT, () => {
    const spans = parse(bytes);
    if (!Array.isArray(spans)) throw malformed('the body must be a list of spans');
    const zipkin = new ZipkinBatch();
    for (const span of spans as unknown[]) {
      if (!isObject(span)) throw malformed('a span must be an object');
      zipkin.add(span);
    }
    return zipkin.batch;
  });
}

class ZipkinBatch {
  readonly batch = new SpanBatch(new Uint8Array(4096));
  readonly #scopes = new Map<string, number>();

  constructor() {
    this.batch.byteCount = 0;
  }

  add(span: JsonObject): void {
    const { batch } = this;
    const scope = this.#scope(endpointOf(span.localEndpoint));
    const row = batch.begin(batch.scopes.resource[scope], scope);
    batch.traceId.set(idOf(span.traceId, 'traceId', 16), row * 16);
    batch.spanId.set(idOf(span.id, 'id', 8), row * 8);
    if (span.parentId !== undefined && span.parentId !== null) {
      batch.parentSpanId.set(idOf(span.parentId, 'parentId', 8), row * 8);
    }
    batch.setText(batch.name, row, textOf(span.name));
    batch.kind[row] = KINDS.get(span.kind) ?? INTERNAL;
    const start = microseconds(span.timestamp);
    batch.startTime.values[row] = start * 1000n;
    batch.endTime.values[row] = (start + microseconds(span.duration)) * 1000n;
    this.#tags(row, isObject(span.tags) ? span.tags : {});
    this.#attributes(batch.attributes, peerAttributes(endpointOf(span.remoteEndpoint)));
    // The server's half of a span that both sides report under one id.
    if (span.shared === true) this.#attributes(batch.attributes, [['zipkin.shared', true]]);
    if (span.debug === true) this.#attributes(batch.attributes, [['zipkin.debug', true]]);
    for (const annotation of Array.isArray(span.annotations) ? (span.annotations as unknown[]) : []) {
      if (!isObject(annotation)) throw malformed('an annotation must be an object');
      const event = batch.events.begin();
      batch.events.time.values[event] = microseconds(annotation.timestamp) * 1000n;
      batch.setText(batch.events.name, event, textOf(annotation.value));
      batch.events.end();
    }
    batch.end();
  }

  #tags(row: number, tags: JsonObject): void {
    const { batch } = this;
    const attributes: AttributeEntry[] = [];
    for (const [key, value] of Object.entries(tags)) {
      const text = textOf(value);
      if (key === 'error') {
        // Any value says that something failed, `false` apart, which some libraries write.
        if (text !== 'false') batch.statusCode[row] = STATUS_ERROR;
        if (text !== '' && text !== 'true' && text !== 'false') batch.setText(batch.statusMessage, row, text);
      } else if (key === 'otel.status_code') {
        if (text === 'ERROR') batch.statusCode[row] = STATUS_ERROR;
        else if (text === 'OK') batch.statusCode[row] = 1;
      } else {
        attributes.push([key, text]);
      }
    }
    this.#attributes(batch.attributes, attributes);
  }

  #scope(endpoint: Endpoint): number {
    const { resources, scopes } = this.batch;
    const key = JSON.stringify(endpoint);
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const resource = resources.add();
    this.#attributes(resources.attributes, [
      ['service.name', endpoint.serviceName || 'unknown_service'],
      ...(endpoint.address === '' ? [] : [['net.host.ip', endpoint.address] as const]),
      ...(endpoint.port === 0 ? [] : [['net.host.port', BigInt(endpoint.port)] as const]),
    ]);
    resources.end(this.batch.bytes);
    const scope = scopes.add(resource);
    scopes.end();
    this.#scopes.set(key, scope);
    return scope;
  }

  #attributes(table: AttributeTable, attributes: readonly AttributeEntry[]): void {
    for (const [key, value] of attributes) {
      const start = this.batch.appendText(key);
      const entry = table.add(start, this.batch.byteCount);
      setAnyValue(this.batch, table.values, entry, value);
    }
  }
}

interface Endpoint {
  readonly serviceName: string;
  readonly address: string;
  readonly port: number;
}

function endpointOf(value: unknown): Endpoint {
  if (!isObject(value)) return { serviceName: '', address: '', port: 0 };
  const port = typeof value.port === 'number' && value.port > 0 && value.port < 65_536 ? Math.floor(value.port) : 0;
  return { serviceName: textOf(value.serviceName), address: textOf(value.ipv4) || textOf(value.ipv6), port };
}

function peerAttributes({ serviceName, address, port }: Endpoint): AttributeEntry[] {
  return [
    ...(serviceName === '' ? [] : [['peer.service', serviceName] as const]),
    ...(address === '' ? [] : [['network.peer.address', address] as const]),
    ...(port === 0 ? [] : [['network.peer.port', BigInt(port)] as const]),
  ];
}

/** Trace ids of 64 bits get zeros in front, shorter ids too: Zipkin's libraries leave leading zeros out. */
function idOf(value: unknown, field: string, width: number): Buffer {
  if (typeof value !== 'string' || !/^[0-9a-f]+$/i.test(value) || value.length > width * 2 || /^0+$/.test(value)) {
    throw malformed(`${field} must be up to ${width * 2} hexadecimal digits, not all of them zero`);
  }
  return Buffer.from(value.padStart(width * 2, '0'), 'hex');
}

function microseconds(value: unknown): bigint {
  return typeof value === 'number' && value > 0 && value < 2 ** 53 ? BigInt(Math.round(value)) : 0n;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw malformed((error as Error).message.slice(0, 200));
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): ProtocolDecodeError {
  return new ProtocolDecodeError(`${WHAT}: ${what}`);
}
