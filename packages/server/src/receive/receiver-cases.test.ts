import * as zlib from 'node:zlib';
import type { Client } from '@grpc/grpc-js';
import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ERROR_CODES,
  type ErrorCode,
  SignalboxError,
  type SignalboxErrorOptions,
} from '../pipeline/signalbox-error.ts';
import { MEDIA_TYPES } from './otlp-http/media-type.ts';
import { readConformanceFile } from './testing/conformance-file.ts';
import { exportPath, type GrpcAnswer, GZIP_CLIENT, grpcCall, grpcClient } from './testing/grpc-call.ts';
import { type HttpAnswer, httpPost } from './testing/http-post.ts';
import { jsonRequest, protobufRequest, SIGNALS, SPAN_ID, span, TRACE_ID } from './testing/otlp-requests.ts';
import { type Receivers, type ReceiversOptions, startReceivers } from './testing/receivers.ts';
import { decodeProtobufStatus, decodeStatus, readFields } from './testing/rpc-status.ts';

/** A case as the third-party file words it. */
interface ReceiverCase {
  id: string;
  level: 'MUST' | 'SHOULD' | 'COLLECTOR';
  request: { method?: string; path?: string; content_type?: string; content_encoding?: string; body?: string };
  expect: { status?: number; content_type?: string; body?: unknown; retry_after?: string | null };
}

const FILE = 'otlp/receiver_cases.json';
const text = readConformanceFile(FILE);
const cases: ReceiverCase[] = text === null ? [] : (JSON.parse(text) as { cases: ReceiverCase[] }).cases;

const zstdCompress = (zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;

let receivers: Receivers;
let client: Client;

async function start(options?: ReceiversOptions): Promise<void> {
  receivers = await startReceivers(options);
  client = grpcClient(receivers.grpcAddress);
}

async function restart(options: ReceiversOptions): Promise<void> {
  client.close();
  await receivers.stop();
  await start(options);
}

beforeEach(() => start());

afterEach(async () => {
  client.close();
  await receivers.stop();
});

const ENCODINGS = ['json', 'protobuf'] as const;
type Encoding = (typeof ENCODINGS)[number];
type Signal = (typeof SIGNALS)[number];

function validBody({ signal }: Signal, encoding: Encoding): Buffer {
  return encoding === 'json' ? Buffer.from(JSON.stringify(jsonRequest(signal))) : protobufRequest(signal);
}

function post(
  { path }: Signal,
  encoding: Encoding,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  return httpPost(`${receivers.url}${path}`, { headers: { 'Content-Type': MEDIA_TYPES[encoding], ...headers }, body });
}

function expectStatusBody(answer: HttpAnswer, encoding: Encoding): void {
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.headers['content-type']).toBe(MEDIA_TYPES[encoding]);
  expect(decodeStatus(answer.body, MEDIA_TYPES[encoding]).message).not.toBe('');
}

/** `partial_success` of an answer, as its JSON names it; null when it is unset. */
function partialSuccess(answer: HttpAnswer, { rejectedField }: Signal): { rejected: number; message: string } | null {
  if (answer.headers['content-type'] === MEDIA_TYPES.json) {
    const { partialSuccess: partial } = JSON.parse(answer.body.toString()) as {
      partialSuccess?: Record<string, string>;
    };
    return partial === undefined
      ? null
      : { rejected: Number(partial[rejectedField] ?? 0), message: partial.errorMessage ?? '' };
  }
  return protobufPartialSuccess(answer.body);
}

function protobufPartialSuccess(message: Buffer): { rejected: number; message: string } | null {
  const partial = readFields(message).find(({ field }) => field === 1)?.value;
  if (!(partial instanceof Uint8Array)) {
    return null;
  }
  const fields = readFields(partial);
  const errorMessage = fields.find(({ field }) => field === 2)?.value ?? new Uint8Array();
  return {
    rejected: Number(fields.find(({ field }) => field === 1)?.value ?? 0),
    message: Buffer.from(errorMessage as Uint8Array).toString(),
  };
}

/** Makes every consumer answer or refuse in the same way. */
function consumersAnswer(respond: () => { rejected: number; reason: string }): void {
  receivers.consumers.traces.respond = respond;
  receivers.consumers.metrics.respond = respond;
  receivers.consumers.logs.respond = respond;
}

function consumersRefuse(code: ErrorCode, options?: SignalboxErrorOptions): void {
  consumersAnswer(() => {
    throw new SignalboxError(code, 'refused by the test', options);
  });
}

async function forEachSignal(run: (signal: Signal, encoding: Encoding) => Promise<void>): Promise<void> {
  for (const signal of SIGNALS) for (const encoding of ENCODINGS) await run(signal, encoding);
}

/** Cases that are one HTTP request written out in the file. */
async function runWrittenCase({ request, expect: expected }: ReceiverCase, signal: Signal): Promise<void> {
  const encoding = request.content_type?.toLowerCase().startsWith('application/json') ? 'json' : 'protobuf';
  const compress = { '': null, gzip: zlib.gzipSync, zstd: zstdCompress ?? null }[request.content_encoding ?? ''];
  const written = request.body ?? '';
  let body: Buffer = Buffer.from(written);
  if (written.startsWith('valid')) body = validBody(signal, encoding);
  if (written.startsWith('(zero bytes)')) body = Buffer.alloc(0);
  if (compress && written.startsWith('valid')) body = compress(body);
  const answer = await httpPost(`${receivers.url}${signal.path}`, {
    method: request.method ?? 'POST',
    headers: {
      ...(request.content_type ? { 'Content-Type': request.content_type } : {}),
      ...(request.content_encoding ? { 'Content-Encoding': request.content_encoding } : {}),
    },
    body,
  });
  expect(answer.status).toBe(expected.status);
  const contentType = answer.headers['content-type'] ?? '';
  if (expected.content_type !== undefined) {
    expect(contentType.split(';', 1)[0]).toBe(expected.content_type);
  }
  if (answer.status === 200) {
    expect(encoding === 'json' ? answer.body.toString() : answer.body.length).toBe(encoding === 'json' ? '{}' : 0);
    expect(receivers.service.received[signal.signal].accepted).toBe(written.startsWith('valid') ? 1 : 0);
  } else if (expected.content_type === 'text/plain') {
    expect(answer.body.toString()).toBe(expected.body);
  } else if (typeof expected.body === 'object') {
    expect(JSON.parse(answer.body.toString())).toEqual(expected.body);
  } else if (expected.content_type !== undefined) {
    expect(decodeStatus(answer.body, contentType)).toMatchObject({ code: 3, message: expect.stringMatching(/./) });
  }
}

function retryInfo({ metadata }: GrpcAnswer): number | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  return details === undefined ? undefined : decodeProtobufStatus(details as Buffer).retryDelayMs;
}

async function expectRefusal(
  code: ErrorCode,
  { expect: expected }: ReceiverCase,
  options?: SignalboxErrorOptions,
): Promise<void> {
  consumersRefuse(code, options);
  await forEachSignal(async (signal, encoding) => {
    const answer = await post(signal, encoding, validBody(signal, encoding));
    expect(answer.status).toBe(expected.status);
    if (expected.retry_after !== undefined) {
      expect(answer.headers['retry-after'] ?? null).toBe(expected.retry_after);
    }
    expectStatusBody(answer, encoding);
  });
}

const OTLP_HTTP_RETRYABLE = [429, 502, 503, 504];
/** CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS */
const OTLP_GRPC_RETRYABLE = [1, 4, 10, 11, 14, 15];

/** Cases by their ids, where the file says in words what is to be done. */
const RUNNERS: Readonly<Record<string, (receiverCase: ReceiverCase) => Promise<void>>> = {
  'http.too_large': async () => {
    const over = 64 * 1024 * 1024 + 1;
    const bomb = zlib.gzipSync(Buffer.alloc(over, ' '));
    await forEachSignal(async (signal, encoding) => {
      const answer = await post(signal, encoding, bomb, { 'Content-Encoding': 'gzip' });
      expect(answer.status).toBe(413);
      expectStatusBody(answer, encoding);
    });
    const plain = await post(SIGNALS[0], 'json', Buffer.alloc(over, ' '), { 'Transfer-Encoding': 'chunked' });
    expect(plain.status).toBe(413);
    // Configurable, and nothing under the limit is refused.
    await restart({ service: { maxRequestBytes: 10_000 } });
    const padded = Buffer.from(JSON.stringify(jsonRequest('traces')).padEnd(10_000));
    expect((await post(SIGNALS[0], 'json', padded)).status).toBe(200);
    expect((await post(SIGNALS[0], 'json', Buffer.concat([padded, Buffer.from(' ')]))).status).toBe(413);
  },
  'http.same_content_type': async () => {
    await restart({ service: { maxRequestBytes: 1_000 } });
    await forEachSignal(async (signal, encoding) => {
      const broken = Buffer.from([0x0a, 0xff]);
      expectStatusBody(await post(signal, encoding, broken), encoding);
      expectStatusBody(await post(signal, encoding, Buffer.alloc(1_001)), encoding);
      expectStatusBody(await post(signal, encoding, broken, { 'Content-Encoding': 'gzip' }), encoding);
      expectStatusBody(await post(signal, encoding, broken, { 'Content-Encoding': 'unknown' }), encoding);
      expectStatusBody(await post({ ...signal, path: '/v1/other' as never }, encoding, broken), encoding);
    });
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      consumersRefuse(code);
      await forEachSignal(async (signal, encoding) =>
        expectStatusBody(await post(signal, encoding, validBody(signal, encoding)), encoding),
      );
    }
  },
  'http.retryable': async () => {
    await restart({ service: { maxInFlightBytes: 4_000 } });
    await forEachSignal(async (signal, encoding) => {
      const answer = await post(signal, encoding, validBody(signal, encoding));
      expect([429, 503]).toContain(answer.status);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    });
  },
  'http.retryable_set': async () => {
    for (const [code, { retryable }] of Object.entries(ERROR_CODES)) {
      // Of a cancelled request nobody reads the answer.
      if (code === 'cancelled') continue;
      consumersRefuse(code as ErrorCode);
      const { status } = await post(SIGNALS[0], 'json', validBody(SIGNALS[0], 'json'));
      expect([code, OTLP_HTTP_RETRYABLE.includes(status)]).toEqual([code, retryable]);
    }
  },
  'http.response_limit': async () => {
    consumersAnswer(() => ({ rejected: 1, reason: '😀"\n'.repeat(3_000_000) }));
    await forEachSignal(async (signal, encoding) => {
      const answer = await post(signal, encoding, validBody(signal, encoding));
      expect(answer.status).toBe(200);
      expect(answer.body.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect(partialSuccess(answer, signal)).toMatchObject({ rejected: 1, message: expect.stringMatching(/^😀/) });
    });
  },
  'http.same_port': async () => {
    await forEachSignal(async (signal, encoding) => {
      expect((await post(signal, encoding, validBody(signal, encoding))).status).toBe(200);
    });
  },
  'partial.warning': async () => {
    consumersAnswer(() => ({ rejected: 0, reason: 'clocks differ' }));
    await forEachSignal(async (signal, encoding) => {
      const answer = await post(signal, encoding, validBody(signal, encoding));
      expect(answer.status).toBe(200);
      expect(partialSuccess(answer, signal)).toEqual({ rejected: 0, message: 'clocks differ' });
    });
    for (const signal of SIGNALS) {
      const { code, message } = await grpcCall(client, exportPath(signal.service), protobufRequest(signal.signal));
      expect(code).toBe(0);
      expect(protobufPartialSuccess(message as Buffer)).toEqual({ rejected: 0, message: 'clocks differ' });
    }
  },
  'map.grpc_to_http.unavailable': (each) => expectRefusal('unavailable', each),
  'map.grpc_to_http.internal': (each) => expectRefusal('internal', each),
  'map.grpc_to_http.resource_exhausted': (each) => expectRefusal('resource_exhausted', each),
  'map.grpc_to_http.invalid_argument': (each) => expectRefusal('invalid_argument', each),
  'map.grpc_to_http.unauthenticated': (each) => expectRefusal('unauthenticated', each),
  'map.grpc_to_http.permission_denied': (each) => expectRefusal('permission_denied', each),
  'map.grpc_to_http.unimplemented': (each) => expectRefusal('unimplemented', each),
  'retry_after.none': (each) => expectRefusal('timeout', each),
  'retry_after.zero': (each) => expectRefusal('resource_exhausted', each, { retryAfterMs: 0 }),
  'retry_after.13': (each) => expectRefusal('resource_exhausted', each, { retryAfterMs: 13_000 }),
  // Our codes have no UNKNOWN; INTERNAL is what stands for it.
  'retry_after.not_retryable': (each) => expectRefusal('internal', each, { retryAfterMs: 12_000 }),
  'grpc.ok': async () => {
    for (const signal of SIGNALS) {
      const answer = await grpcCall(client, exportPath(signal.service), protobufRequest(signal.signal));
      expect(answer).toMatchObject({ code: 0, message: Buffer.alloc(0) });
      expect(receivers.service.received[signal.signal].accepted).toBe(1);
    }
  },
  'grpc.gzip': async () => {
    client.close();
    client = grpcClient(receivers.grpcAddress, GZIP_CLIENT);
    for (const signal of SIGNALS) {
      const answer = await grpcCall(client, exportPath(signal.service), protobufRequest(signal.signal));
      expect(answer.code).toBe(0);
      expect(receivers.service.received[signal.signal].accepted).toBe(1);
    }
  },
  'grpc.permanent': async () => {
    for (const signal of SIGNALS) {
      const answer = await grpcCall(client, exportPath(signal.service), Buffer.from([0x0a, 0x7f]));
      expect(answer.code).toBe(3);
      expect(retryInfo(answer)).toBeUndefined();
    }
  },
  'grpc.transient': async () => {
    for (const code of ['unavailable', 'resource_exhausted'] as const) {
      consumersRefuse(code, { retryAfterMs: 2_000 });
      for (const signal of SIGNALS) {
        const answer = await grpcCall(client, exportPath(signal.service), protobufRequest(signal.signal));
        expect(answer.code).toBe(14);
        expect(retryInfo(answer)).toBe(2_000);
      }
    }
  },
  'grpc.too_large': async () => {
    const over = Buffer.alloc(64 * 1024 * 1024 + 1);
    const gzip = grpcClient(receivers.grpcAddress, GZIP_CLIENT);
    for (const sender of [client, gzip]) {
      const answer = await grpcCall(sender, exportPath(SIGNALS[0].service), over);
      expect(answer.code).toBe(8);
      expect(retryInfo(answer)).toBeUndefined();
    }
    gzip.close();
  },
  'grpc.retry_table': async () => {
    for (const [code, { retryable }] of Object.entries(ERROR_CODES)) {
      consumersRefuse(code as ErrorCode);
      const answer = await grpcCall(client, exportPath(SIGNALS[0].service), protobufRequest('traces'));
      const mayRetry =
        OTLP_GRPC_RETRYABLE.includes(answer.code) || (answer.code === 8 && retryInfo(answer) !== undefined);
      expect([code, mayRetry]).toEqual([code, retryable]);
    }
  },
};

/** Sends one OTLP/JSON request and gives what arrives. */
async function spansOf(fields: Record<string, unknown>) {
  const span = { traceId: TRACE_ID, spanId: SPAN_ID, name: 'x', ...fields };
  const answer = await sendJson(SIGNALS[0], { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
  return receivers.consumers.traces.batches.splice(0).flatMap(spanObjects)[0];
}

async function attributeOf(value: Record<string, unknown>) {
  const span = await spansOf({ attributes: [{ key: 'k', value }] });
  return span?.attributes[0]?.[1];
}

function sendJson(signal: Signal, request: unknown): Promise<HttpAnswer> {
  return post(signal, 'json', Buffer.from(JSON.stringify(request)));
}

/** The cases of OTLP/JSON, each over the wire (specification.md, "JSON Protobuf Encoding"). */
const JSON_RUNNERS: Readonly<Record<string, () => Promise<void>>> = {
  'json.hex_ids': async () => {
    const upper = TRACE_ID.toUpperCase();
    const links = [{ traceId: upper, spanId: 'EEE19B7EC3C1B174' }];
    const span = await spansOf({ traceId: upper, spanId: 'EEE19b7ec3c1b174', parentSpanId: 'ABCDEFabcdef0123', links });
    expect(span).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, parentSpanId: 'abcdefabcdef0123' });
    expect(span?.links).toMatchObject([{ traceId: TRACE_ID, spanId: SPAN_ID }]);
    await sendJson(SIGNALS[2], {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ traceId: upper, spanId: SPAN_ID }] }] }],
    });
    const [log] = receivers.consumers.logs.batches.flatMap(logObjects);
    expect(log).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
    const exemplars = [{ traceId: upper, spanId: SPAN_ID, asDouble: 1 }];
    const metrics = [{ name: 'm', gauge: { dataPoints: [{ asDouble: 1, exemplars }] } }];
    await sendJson(SIGNALS[1], { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    const [point] = receivers.consumers.metrics.batches.flatMap(metricPointObjects);
    expect(point).toMatchObject({ exemplars: [{ traceId: TRACE_ID, spanId: SPAN_ID }] });
    // Never base64: 16 bytes of it are no id.
    const spans = [{ traceId: Buffer.from(TRACE_ID, 'hex').toString('base64'), spanId: SPAN_ID }];
    const answer = await sendJson(SIGNALS[0], { resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect(answer.status === 400 || partialSuccess(answer, SIGNALS[0])?.rejected === 1).toBe(true);
  },
  'json.enum_int': async () => {
    expect(await spansOf({ kind: 2, status: { code: 2 } })).toMatchObject({ kind: 2, statusCode: 2 });
    // A name is malformed or unknown, but never taken for its number.
    const spans = [{ traceId: TRACE_ID, spanId: SPAN_ID, kind: 'SPAN_KIND_SERVER' }];
    const answer = await sendJson(SIGNALS[0], { resourceSpans: [{ scopeSpans: [{ spans }] }] });
    const kinds = receivers.consumers.traces.batches.flatMap(spanObjects).map(({ kind }) => kind);
    expect(answer.status === 400 || kinds.every((kind) => kind !== 2)).toBe(true);
  },
  'json.unknown_fields': async () => {
    const unknown = { fresh: { deep: [1, { x: null }] }, other: 'x' };
    const span = {
      ...unknown,
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      name: 'kept',
      attributes: [{ ...unknown, key: 'k', value: { ...unknown, stringValue: 'v' } }],
    };
    const scopeSpans = [{ ...unknown, scope: { ...unknown, name: 's' }, spans: [span] }];
    const request = { ...unknown, resourceSpans: [{ ...unknown, resource: unknown, scopeSpans }] };
    const answer = await sendJson(SIGNALS[0], request);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    const [arrived] = receivers.consumers.traces.batches.flatMap(spanObjects);
    expect(arrived).toMatchObject({ name: 'kept', attributes: [['k', 'v']], scope: { name: 's' } });
  },
  'json.lower_camel': async () => {
    expect(await spansOf({ droppedAttributesCount: 7 })).toMatchObject({ droppedAttributesCount: 7 });
    expect(await spansOf({ dropped_attributes_count: 7, trace_state: 'a=b' })).toMatchObject({
      droppedAttributesCount: 0,
      traceState: '',
    });
  },
  'json.int64': async () => {
    const largest = '9223372036854775807';
    expect(await attributeOf({ intValue: '123' })).toBe(123n);
    expect(await attributeOf({ intValue: 123 })).toBe(123n);
    expect(await attributeOf({ intValue: largest })).toBe(BigInt(largest));
    expect(await attributeOf({ intValue: `-${largest}` })).toBe(-BigInt(largest));
    expect(await spansOf({ startTimeUnixNano: '1760000000000000001' })).toMatchObject({
      startTime: 1760000000000000001n,
    });
    expect(await spansOf({ startTimeUnixNano: 1760000000000 })).toMatchObject({ startTime: 1760000000000n });
  },
  'json.bytes': async () => {
    expect(await attributeOf({ bytesValue: 'AAAwOQ==' })).toEqual(Uint8Array.of(0, 0, 0x30, 0x39));
  },
  'json.nonfinite': async () => {
    expect(await attributeOf({ doubleValue: 'NaN' })).toBeNaN();
    expect(await attributeOf({ doubleValue: 'Infinity' })).toBe(Number.POSITIVE_INFINITY);
    expect(await attributeOf({ doubleValue: '-Infinity' })).toBe(Number.NEGATIVE_INFINITY);
    expect(await attributeOf({ doubleValue: 0.1 })).toBe(0.1);
  },
};

async function runPartialCase(signal: Signal): Promise<void> {
  consumersAnswer(() => ({ rejected: 2, reason: 'from the future' }));
  for (const encoding of ENCODINGS) {
    const answer = await post(signal, encoding, validBody(signal, encoding));
    expect(answer.status).toBe(200);
    expect(partialSuccess(answer, signal)).toEqual({ rejected: 2, message: 'from the future' });
  }
  if (signal.signal === 'traces') {
    consumersAnswer(() => ({ rejected: 0, reason: '' }));
    const spans = [span(), span({ traceId: '00'.repeat(16) }), span({ spanId: 'abcd' }), span({ traceId: '' })];
    const answer = await post(signal, 'protobuf', protobufRequest('traces', spans));
    expect(partialSuccess(answer, signal)).toMatchObject({ rejected: 3, message: expect.stringMatching(/./) });
  }
}

describe.skipIf(text === null)(`the cases of ${FILE}${text === null ? ' (not on this machine)' : ''}`, () => {
  for (const receiverCase of cases) {
    const { id, level, request } = receiverCase;
    const runner = RUNNERS[id] ?? JSON_RUNNERS[id];
    const signal = SIGNALS.find(({ path }) => path === request.path);
    if (runner !== undefined) {
      it(`${level} ${id}`, { timeout: 60_000 }, () => runner(receiverCase));
    } else if (signal !== undefined && id.endsWith('.partial')) {
      it(`${level} ${id}`, () => runPartialCase(signal));
    } else if (request.content_encoding === 'zstd' && zstdCompress === undefined) {
      it.skip(`${level} ${id}: this Node (${process.version}) has no zstd`);
    } else if (signal !== undefined || request.content_type !== undefined) {
      const signals = signal === undefined ? SIGNALS : [signal];
      it.each(signals)(`${level} ${id} ($signal)`, (each) => runWrittenCase(receiverCase, each));
    } else {
      it(`${level} ${id}`, () => expect.fail('nobody runs this case'));
    }
  }
});

describe.skipIf(zstdCompress !== undefined)('zstd on a Node without it', () => {
  it('is refused by name, with what is supported', async () => {
    const answer = await post(SIGNALS[0], 'json', Buffer.from('x'), { 'Content-Encoding': 'zstd' });
    expect(answer.status).toBe(415);
    expect(answer.headers['accept-encoding']).toBe('identity, gzip, deflate');
    expectStatusBody(answer, 'json');
  });
});
