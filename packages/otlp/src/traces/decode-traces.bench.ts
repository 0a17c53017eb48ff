import { bench, describe } from 'vitest';
import { decodeTraces } from '../index.ts';
import { OTLP, toJson, toProtobuf } from '../testing/otlp-schema.ts';

const SPANS = 512;

function randomBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => 1 + Math.floor(Math.random() * 255));
}

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const int = (key: string, value: number) => ({ key, value: { intValue: BigInt(value) } });

/** 512 spans as a Node service sends them: 8 attributes each, 5 of the resource. */
const request = {
  resourceSpans: [
    {
      resource: {
        attributes: [
          text('service.name', 'shop'),
          text('host.name', 'host-1'),
          text('telemetry.sdk.language', 'nodejs'),
          int('process.pid', 1234),
          text('deployment.environment.name', 'production'),
        ],
      },
      scopeSpans: [
        {
          scope: { name: '@opentelemetry/instrumentation-http', version: '0.223.0' },
          spans: Array.from({ length: SPANS }, (_, i) => ({
            traceId: randomBytes(16),
            spanId: randomBytes(8),
            parentSpanId: randomBytes(8),
            name: ['GET /', 'POST /cart', 'GET /product/:id', 'SELECT', 'redis.get', 'publish'][i % 6],
            kind: 2,
            startTimeUnixNano: 1_760_000_000_000_000_000n + BigInt(i),
            endTimeUnixNano: 1_760_000_000_000_000_000n + BigInt(i * 1_000),
            attributes: [
              text('http.request.method', 'GET'),
              text('http.route', `/x/${i % 50}`),
              int('http.response.status_code', 200),
              text('url.path', `/x/${i}`),
              text('user.id', `u${i}`),
              text('network.peer.address', `10.0.0.${i % 255}`),
              text('server.address', 'api.example.com'),
              int('server.port', 8080),
            ],
            status: {},
            flags: 0x101,
          })),
        },
      ],
    },
  ],
};

const protobuf = toProtobuf(OTLP.traces, request);
const json = toJson(request);

// One operation decodes 512 spans: spans per second are 512 times the figure.
describe(`${SPANS} spans from protobuf (${protobuf.length} bytes)`, () => {
  bench('to columns', () => {
    decodeTraces(protobuf, 'protobuf');
  });
  bench('to objects with protobufjs', () => {
    OTLP.traces.decode(protobuf);
  });
});

describe(`${SPANS} spans from JSON (${json.length} bytes)`, () => {
  bench('to columns, with the copy that in-place decoding needs here', () => {
    decodeTraces(Uint8Array.from(json), 'json');
  });
  bench('to objects with JSON.parse', () => {
    JSON.parse(Buffer.from(json.buffer).toString('utf8'));
  });
});
