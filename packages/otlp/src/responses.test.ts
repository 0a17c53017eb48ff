import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeExportResponse, decodeStatus, encodeExportResponse, encodeStatus, OtlpDecodeError } from './index.ts';
import { OTLP } from './testing/otlp-schema.ts';

const partial = { rejected: 3, reason: 'é: bad ids' };
const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString('utf8'));

describe('encodeExportResponse', () => {
  it('leaves partial_success unset when all is accepted', () => {
    expect(encodeExportResponse('traces', null, 'protobuf')).toHaveLength(0);
    expect(Buffer.from(encodeExportResponse('traces', null, 'json')).toString()).toBe('{}');
  });

  it('tells how many rows were rejected and why, in the field of the signal', () => {
    expect(json(encodeExportResponse('traces', partial, 'json'))).toEqual({
      partialSuccess: { rejectedSpans: '3', errorMessage: partial.reason },
    });
    expect(json(encodeExportResponse('metrics', partial, 'json'))).toHaveProperty(
      'partialSuccess.rejectedDataPoints',
      '3',
    );
    expect(json(encodeExportResponse('logs', partial, 'json'))).toHaveProperty(
      'partialSuccess.rejectedLogRecords',
      '3',
    );
  });

  it('is what the official clients read', () => {
    const rejection = (name: string) => ({ partialSuccess: { [name]: 3, errorMessage: partial.reason } });
    expect(
      ProtobufTraceSerializer.deserializeResponse(encodeExportResponse('traces', partial, 'protobuf')),
    ).toMatchObject(rejection('rejectedSpans'));
    expect(
      ProtobufMetricsSerializer.deserializeResponse(encodeExportResponse('metrics', partial, 'protobuf')),
    ).toMatchObject(rejection('rejectedDataPoints'));
    expect(ProtobufLogsSerializer.deserializeResponse(encodeExportResponse('logs', partial, 'protobuf'))).toMatchObject(
      rejection('rejectedLogRecords'),
    );
    expect(JsonTraceSerializer.deserializeResponse(encodeExportResponse('traces', partial, 'json'))).toMatchObject({
      partialSuccess: { errorMessage: partial.reason },
    });
    expect(JsonLogsSerializer.deserializeResponse(encodeExportResponse('logs', null, 'json'))).toEqual({});
  });

  it('warns with a reason alone', () => {
    const bytes = encodeExportResponse('logs', { rejected: 0, reason: 'old SDK' }, 'protobuf');
    expect(OTLP.exportResponse.decode(bytes).toJSON()).toEqual({ partialSuccess: { errorMessage: 'old SDK' } });
    expect(json(encodeExportResponse('logs', { rejected: 0, reason: 'old SDK' }, 'json'))).toEqual({
      partialSuccess: { errorMessage: 'old SDK' },
    });
  });
});

// google/rpc/status.proto, error_details.proto, google/protobuf/any.proto, duration.proto
const root = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
`).root;

describe('encodeStatus', () => {
  it('holds code and message', () => {
    const status = root.lookupType('Status').decode(encodeStatus(3, 'no é', 'protobuf'));
    expect(status.toJSON()).toEqual({ code: 3, message: 'no é' });
    expect(json(encodeStatus(3, 'no é', 'json'))).toEqual({ code: 3, message: 'no é' });
  });

  it.each([
    [0, 0, 0, '0s'],
    [1, 0, 1_000_000, '0.001s'],
    [12_500, 12, 500_000_000, '12.5s'],
    [60_000, 60, 0, '60s'],
    [0.2, 0, 1_000_000, '0.001s'],
  ])('tells to retry after %d ms', (delay, seconds, nanos, text) => {
    const status = root.lookupType('Status').decode(encodeStatus(14, 'busy', 'protobuf', delay));
    const [detail] = (status as unknown as { details: { typeUrl: string; value: Uint8Array }[] }).details;
    expect(detail.typeUrl).toBe('type.googleapis.com/google.rpc.RetryInfo');
    const retryInfo = root.lookupType('RetryInfo');
    const { retryDelay } = retryInfo.toObject(retryInfo.decode(detail.value), { longs: Number, defaults: true });
    expect(retryDelay).toEqual({ seconds, nanos });
    expect(json(encodeStatus(14, 'busy', 'json', delay)).details).toEqual([
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: text },
    ]);
  });
});

describe('a client reads', () => {
  it.each(['protobuf', 'json'] as const)('partial success in %s', (encoding) => {
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      expect(decodeExportResponse(encodeExportResponse(signal, partial, encoding), encoding)).toEqual(partial);
      expect(decodeExportResponse(encodeExportResponse(signal, null, encoding), encoding)).toEqual({
        rejected: 0,
        reason: '',
      });
    }
  });

  it('a status with the time to wait, and one without', () => {
    expect(decodeStatus(encodeStatus(14, 'busy é', 'protobuf', 1_250), 'protobuf')).toEqual({
      message: 'busy é',
      retryAfterMs: 1_250,
    });
    expect(decodeStatus(encodeStatus(3, 'bad', 'protobuf'), 'protobuf')).toEqual({
      message: 'bad',
      retryAfterMs: undefined,
    });
    expect(decodeStatus(encodeStatus(3, 'bad', 'json'), 'json').message).toBe('bad');
  });

  it('nothing else, without a loop or a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const read of [decodeExportResponse, decodeStatus]) {
          for (const encoding of ['protobuf', 'json'] as const) {
            try {
              read(bytes, encoding);
            } catch (error) {
              expect(error).toBeInstanceOf(OtlpDecodeError);
            }
          }
        }
      }),
    );
  });
});
