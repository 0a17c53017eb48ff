import type { OtlpEncoding } from '../../otlp/export-service.ts';
import { MEDIA_TYPES } from '../../otlp-http/media-type.ts';
import { protobufRequest, SIGNALS } from '../otlp-requests.ts';
import { decodeStatus } from '../rpc-status.ts';
import { type BodyVerdict, hostileBody } from './hostile-bodies.ts';
import type { HostileRequest, HostileTarget } from './hostile-target.ts';
import { type RawResponse, type RawSend, sendRaw } from './raw-http.ts';
import type { SeededRandom } from './seeded-random.ts';

/** `closed`: the target may close the connection without an answer. */
type Allowed = readonly (number | 'closed')[];

const OF_VERDICT: Readonly<Record<BodyVerdict, Allowed>> = { invalid: [400], any: [200, 400], 'too large': [413] };

type Send = Omit<RawSend, 'port'>;

/** Sends to the HTTP port and compares; overload is always a permitted answer, when it is spoken of properly. */
function request(kind: string, encoding: OtlpEncoding | null, allowed: Allowed, send: Send): HostileRequest {
  return {
    kind: `http ${kind}`,
    send: async (target) => {
      const response = await sendRaw(target, { port: target.httpPort, ...send });
      if (response === null) {
        return allowed.includes('closed') || send.ending === 'cut' ? null : 'closed the connection without an answer';
      }
      return complaint(response, encoding, allowed);
    },
  };
}

function complaint(response: RawResponse, encoding: OtlpEncoding | null, allowed: Allowed): string | null {
  const { status, headers, body } = response;
  if (status === 429) {
    return headers.has('retry-after') ? null : 'answered 429 without Retry-After';
  }
  if (!allowed.includes(status)) {
    return `answered ${status} (${body.toString().slice(0, 200)}), expected ${allowed.join(' or ')}`;
  }
  if (status >= 400 && encoding !== null) {
    const contentType = headers.get('content-type') ?? '';
    if (contentType !== MEDIA_TYPES[encoding]) {
      return `answered ${status} as ${contentType}, expected ${MEDIA_TYPES[encoding]}`;
    }
    if (decodeStatus(body, contentType).message === '') {
      return `answered ${status} without a message`;
    }
  }
  return null;
}

function head(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

type Make = (random: SeededRandom, target: HostileTarget) => HostileRequest;

/** A sound HTTP request with a hostile body. */
const withHostileBody: Make = (random, target) => {
  const { signal, path } = random.pick(SIGNALS);
  const body = hostileBody(random, signal, target.maxRequestBytes);
  const headers = {
    'Content-Type': MEDIA_TYPES[body.encoding],
    ...(body.compression === 'identity' ? {} : { 'Content-Encoding': body.compression }),
  };
  const chunks =
    random.next() < 0.8
      ? [head(path, { ...headers, 'Content-Length': body.bytes.length }), body.bytes]
      : [head(path, { ...headers, 'Transfer-Encoding': 'chunked' }), ...chunked(body.bytes, random)];
  return request(body.kind, body.encoding, OF_VERDICT[body.verdict], { chunks, ending: 'wait' });
};

function chunked(bytes: Buffer, random: SeededRandom): Buffer[] {
  const chunks: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const chunk = bytes.subarray(offset, offset + random.integer(1, Math.max(1, Math.ceil(bytes.length / 3))));
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    offset += chunk.length;
  }
  return [...chunks, Buffer.from('0\r\n\r\n')];
}

const BAD_CHUNKS = [
  'zz\r\n',
  '-5\r\nhello\r\n',
  '5\r\nhelloworld\r\n',
  'fffffffffffffffff\r\n',
  '5hello\r\n',
  '\r\n\r\n',
];
const BAD_STARTS = [
  '\u0000\u0001\u0002\r\n\r\n',
  'GARBAGE\r\n\r\n',
  'POST /v1/traces HTTP/9.9\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000',
];

/** Requests that are wrong as HTTP, or as OTLP before the body. */
const BAD_HTTP: Readonly<
  Record<string, (random: SeededRandom, path: string, body: Buffer, target: HostileTarget) => HostileRequest>
> = {
  'Content-Length above what is sent': (random, path, body) => {
    const length = body.length + random.integer(1, 10_000);
    const chunks = [head(path, { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Length': length }), body];
    return request('Content-Length above what is sent', null, [400, 'closed'], { chunks, ending: 'end' });
  },
  'Content-Length below what is sent': (random, path, body) => {
    const length = random.integer(1, body.length - 1);
    const chunks = [head(path, { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Length': length }), body];
    return request('Content-Length below what is sent', 'protobuf', [400], { chunks, ending: 'wait' });
  },
  'Content-Length over the limit': (random, path, _body, target) => {
    const length = target.maxRequestBytes + random.integer(1, 2 ** 40);
    const chunks = [head(path, { 'Content-Type': MEDIA_TYPES.json, 'Content-Length': length }), '{'];
    return request('Content-Length over the limit', 'json', [413], { chunks, ending: 'wait' });
  },
  'Content-Length that is no number': (random, path) => {
    const length = random.pick(['-1', '1e3', '0x10', '99999999999999999999999', '5, 6', 'abc']);
    const chunks = [head(path, { 'Content-Type': MEDIA_TYPES.json, 'Content-Length': length }), '{}'];
    return request('Content-Length that is no number', null, [400], { chunks, ending: 'wait' });
  },
  'both Content-Length and chunked': (_random, path, body) => {
    const headers = { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Length': 3, 'Transfer-Encoding': 'chunked' };
    return request('both Content-Length and chunked', null, [400], {
      chunks: [head(path, headers), body],
      ending: 'wait',
    });
  },
  'bad chunks': (random, path) => {
    const chunks = [
      head(path, { 'Content-Type': MEDIA_TYPES.json, 'Transfer-Encoding': 'chunked' }),
      random.pick(BAD_CHUNKS),
    ];
    return request('bad chunks', 'json', [400], { chunks, ending: 'wait' });
  },
  'chunks that break off': (_random, path, body) => {
    const chunks = [
      head(path, { 'Content-Type': MEDIA_TYPES.json, 'Transfer-Encoding': 'chunked' }),
      'ff\r\n',
      body.subarray(0, 20),
    ];
    return request('chunks that break off', null, [400, 'closed'], { chunks, ending: 'end' });
  },
  'not HTTP': (random) =>
    request('not HTTP', null, [400, 'closed'], { chunks: [random.pick(BAD_STARTS)], ending: 'end' }),
  'headers over the limit': (random, path) => {
    const headers = { 'Content-Type': MEDIA_TYPES.json, 'X-Long': 'x'.repeat(random.integer(17_000, 200_000)) };
    return request('headers over the limit', null, [431, 'closed'], { chunks: [head(path, headers)], ending: 'wait' });
  },
  'unknown content type': (random, path, body) => {
    const type = random.pick([
      'text/plain',
      'application/xml',
      'json',
      '',
      ';',
      'application/json-seq',
      'multipart/form-data',
    ]);
    const chunks = [head(path, { 'Content-Type': type, 'Content-Length': body.length }), body];
    return request('unknown content type', null, [415], { chunks, ending: 'wait' });
  },
  'unknown content encoding': (random, path, body) => {
    const coding = random.pick(['br', 'compress', 'gzip, gzip', 'rot13', '*']);
    const headers = { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Encoding': coding, 'Content-Length': body.length };
    return request('unknown content encoding', 'protobuf', [415], {
      chunks: [head(path, headers), body],
      ending: 'wait',
    });
  },
  'unknown path': (random, _path, body) => {
    const path = random.pick([
      '/',
      '/v1',
      '/v1/traces/',
      '/v1/tracess',
      '/v2/traces',
      '/../v1/traces',
      '/%00',
      '*',
      '/v1/traces%2f',
    ]);
    const chunks = [head(path, { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Length': body.length }), body];
    return request('unknown path', null, [404, 400], { chunks, ending: 'wait' });
  },
  'sender that hangs up': (random, path, body) => {
    const chunks = [
      head(path, { 'Content-Type': MEDIA_TYPES.protobuf, 'Content-Length': body.length }),
      body.subarray(0, random.integer(0, body.length - 1)),
    ];
    return request('sender that hangs up', null, ['closed'], { chunks, ending: 'cut' });
  },
  'unmet expectation': (_random, path) => {
    const chunks = [
      head(path, { 'Content-Type': MEDIA_TYPES.json, 'Content-Length': 2, Expect: 'the-impossible' }),
      '{}',
    ];
    return request('unmet expectation', null, [417], { chunks, ending: 'wait' });
  },
};

const badHttp: Make = (random, target) => {
  const { signal, path } = random.pick(SIGNALS);
  const make = BAD_HTTP[random.pick(Object.keys(BAD_HTTP))];
  if (make === undefined) {
    throw new Error('unreachable');
  }
  return make(random, path, protobufRequest(signal), target);
};

/** The next hostile request to OTLP/HTTP. */
export function hostileHttpRequest(random: SeededRandom, target: HostileTarget): HostileRequest {
  return random.next() < 0.6 ? withHostileBody(random, target) : badHttp(random, target);
}
