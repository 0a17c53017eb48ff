import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { GrpcStatus } from '../../../pipeline/signalbox-error.ts';
import { protobufRequest, SIGNALS } from '../otlp-requests.ts';
import { decodeProtobufStatus } from '../rpc-status.ts';
import { type BodyVerdict, type HostileBody, hostileBody } from './hostile-bodies.ts';
import type { HostileRequest, HostileTarget } from './hostile-target.ts';
import { sendRaw } from './raw-http.ts';
import type { SeededRandom } from './seeded-random.ts';

interface GrpcAnswer {
  readonly httpStatus: number;
  readonly grpcStatus: number | null;
  readonly message: string;
  readonly details: string | undefined;
}

interface GrpcSend {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly frames: readonly Buffer[];
  /** What the sender does after its last frame: half-close, wait with the stream open, or reset it. */
  readonly ending: 'end' | 'wait' | 'reset';
}

const { Ok, InvalidArgument, ResourceExhausted, Unimplemented, Unavailable } = GrpcStatus;

const OF_VERDICT: Readonly<Record<BodyVerdict, readonly number[]>> = {
  invalid: [InvalidArgument],
  any: [Ok, InvalidArgument],
  'too large': [ResourceExhausted],
};

export function grpcFrame(message: Uint8Array, flag = 0, length = message.byteLength): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Makes one call over a connection of its own. Null: the stream or the connection ended without an answer. */
function sendGrpc(target: HostileTarget, { path, headers, frames, ending }: GrpcSend): Promise<GrpcAnswer | null> {
  return new Promise((resolve, reject) => {
    // Node counts what waits to be sent, and with more than 10 MB waiting it refuses the answer's headers.
    const session: ClientHttp2Session = connect(`http://${target.host}:${target.grpcPort}`, {
      maxSessionMemory: 1_000,
    });
    const finish = (answer: GrpcAnswer | null) => {
      clearTimeout(timer);
      session.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      session.destroy();
      reject(new Error(`no answer within ${target.patienceMs} ms`));
    }, target.patienceMs);
    session.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        clearTimeout(timer);
        reject(error);
      } else {
        finish(null);
      }
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let response: Record<string, unknown> = {};
    stream.on('response', (fields) => {
      response = { ...fields };
    });
    stream.on('trailers', (fields) => {
      response = { ...response, ...fields };
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      const status = response['grpc-status'];
      const answer = {
        httpStatus: Number(response[':status']),
        grpcStatus: status === undefined ? null : Number(status),
        message: decodeURIComponent(String(response['grpc-message'] ?? '')),
        details: response['grpc-status-details-bin'] as string | undefined,
      };
      finish(response[':status'] === undefined ? null : answer);
    });
    stream.resume();
    for (const frame of frames) {
      stream.write(frame);
    }
    if (ending === 'end') {
      stream.end();
    } else if (ending === 'reset') {
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
    }
  });
}

/** Opens calls and resets them before they can be answered, all over one connection ("rapid reset"). */
function resetAtOnce(target: HostileTarget, path: string, frame: Buffer, calls: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${target.host}:${target.grpcPort}`);
    let open = calls;
    const finish = () => {
      session.destroy();
      resolve(null);
    };
    session.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
      else finish();
    });
    for (let index = 0; index < calls; index += 1) {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      stream.on('error', () => {});
      stream.on('close', () => {
        open -= 1;
        if (open === 0) finish();
      });
      stream.write(frame.subarray(0, index % frame.length));
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
    }
  });
}

/** Compares; overload is always a permitted answer, when it is spoken of properly. */
function request(kind: string, allowed: readonly number[], send: GrpcSend): HostileRequest {
  return {
    kind: `grpc ${kind}`,
    send: async (target) => {
      const answer = await sendGrpc(target, send);
      if (answer === null) {
        return send.ending === 'reset' ? null : 'ended the call without an answer';
      }
      const details = answer.details === undefined ? null : decodeProtobufStatus(Buffer.from(answer.details, 'base64'));
      if (answer.grpcStatus === Unavailable) {
        return details?.retryDelayMs === undefined ? 'answered UNAVAILABLE without RetryInfo' : null;
      }
      if (answer.httpStatus !== 200 || answer.grpcStatus === null || !allowed.includes(answer.grpcStatus)) {
        return `answered ${answer.httpStatus}/${answer.grpcStatus} (${answer.message}), expected ${allowed.join(' or ')}`;
      }
      if (answer.grpcStatus === ResourceExhausted && details?.retryDelayMs !== undefined) {
        return 'answered RESOURCE_EXHAUSTED with RetryInfo, which asks to retry what never fits';
      }
      return answer.grpcStatus === Ok || answer.message !== ''
        ? null
        : `answered ${answer.grpcStatus} without a message`;
    },
  };
}

function compressed(body: HostileBody): { frames: Buffer[]; headers: Record<string, string> } {
  return body.compression === 'identity'
    ? { frames: [grpcFrame(body.bytes)], headers: {} }
    : { frames: [grpcFrame(body.bytes, 1)], headers: { 'grpc-encoding': body.compression } };
}

/** Calls that are wrong before their message is. */
const BAD_CALLS: Readonly<
  Record<string, (random: SeededRandom, path: string, message: Buffer, target: HostileTarget) => HostileRequest>
> = {
  'flag that is neither 0 nor 1': (random, path, message) =>
    request('flag that is neither 0 nor 1', [InvalidArgument], {
      path,
      frames: [grpcFrame(message, random.integer(2, 255))],
      ending: 'end',
    }),
  'compressed flag without a coding': (_random, path, message) =>
    request('compressed flag without a coding', [InvalidArgument], {
      path,
      frames: [grpcFrame(gzipSync(message), 1)],
      ending: 'end',
    }),
  'length above what is sent': (random, path, message) => {
    const length = message.length + random.integer(1, 100_000);
    return request('length above what is sent', [InvalidArgument], {
      path,
      frames: [grpcFrame(message, 0, length)],
      ending: 'end',
    });
  },
  'length over the limit': (random, path, message, target) => {
    const length = random.pick([target.maxRequestBytes + 1, 2 ** 31, 2 ** 32 - 1]);
    return request('length over the limit', [ResourceExhausted], {
      path,
      frames: [grpcFrame(message, 0, length)],
      ending: random.pick(['end', 'wait'] as const),
    });
  },
  'second message': (_random, path, message) =>
    request('second message', [Unimplemented], {
      path,
      frames: [grpcFrame(message), grpcFrame(message)],
      ending: 'end',
    }),
  'no message': (_random, path) => request('no message', [Unimplemented], { path, frames: [], ending: 'end' }),
  'half a prefix': (random, path) =>
    request('half a prefix', [InvalidArgument], { path, frames: [Buffer.alloc(random.integer(1, 4))], ending: 'end' }),
  'message byte by byte': (_random, path, message) => {
    const frames = [...grpcFrame(message)].map((byte) => Buffer.of(byte));
    return request('message byte by byte', [Ok], { path, frames, ending: 'end' });
  },
  'unknown coding': (random, path, message) => {
    const headers = { 'grpc-encoding': random.pick(['snappy', 'br', 'x', 'gzip,gzip']) };
    return request('unknown coding', [Unimplemented], {
      path,
      headers,
      frames: [grpcFrame(message, 1)],
      ending: 'end',
    });
  },
  'unknown method': (random, _path, message) => {
    const path = random.pick([
      '/',
      '/x',
      '/opentelemetry.proto.collector.trace.v1.TraceService/Import',
      '/grpc.health.v1.Health/Check',
    ]);
    return request('unknown method', [Unimplemented], { path, frames: [grpcFrame(message)], ending: 'end' });
  },
  'malformed deadline': (random, path, message) => {
    const headers = { 'grpc-timeout': random.pick(['', '1', 'S', '-1S', '123456789S', '1s', '1.5S', '1S ,1S']) };
    return request('malformed deadline', [InvalidArgument], {
      path,
      headers,
      frames: [grpcFrame(message)],
      ending: 'end',
    });
  },
  'reset in the middle': (random, path, message) => {
    const frame = grpcFrame(message);
    return request('reset in the middle', [], {
      path,
      frames: [frame.subarray(0, random.integer(0, frame.length - 1))],
      ending: 'reset',
    });
  },
  'many calls reset at once': (random, path, message) => {
    const calls = random.integer(20, 200);
    return {
      kind: 'grpc many calls reset at once',
      send: (target) => resetAtOnce(target, path, grpcFrame(message), calls),
    };
  },
  'other content type': (random, path, message) => {
    const type = random.pick(['application/json', 'text/plain', 'application/grpc+json', 'application/grpc-web']);
    return {
      kind: 'grpc other content type',
      send: async (target) => {
        const answer = await sendGrpc(target, {
          path,
          headers: { 'content-type': type },
          frames: [grpcFrame(message)],
          ending: 'end',
        });
        return answer?.httpStatus === 415 ? null : `answered ${answer?.httpStatus}, expected 415`;
      },
    };
  },
  'bytes that are not HTTP/2': (random) => ({
    kind: 'grpc bytes that are not HTTP/2',
    send: async (target) => {
      const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      const start = random.pick([
        Buffer.alloc(0),
        preface,
        preface.subarray(0, 10),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      ]);
      await sendRaw(target, {
        port: target.grpcPort,
        chunks: [start, random.bytes(random.integer(1, 300))],
        ending: 'end',
      });
      return null;
    },
  }),
};

/** The next hostile request to OTLP/gRPC. */
export function hostileGrpcRequest(random: SeededRandom, target: HostileTarget): HostileRequest {
  const { signal, service } = random.pick(SIGNALS);
  const path = `/opentelemetry.proto.collector.${service}/Export`;
  if (random.next() < 0.5) {
    const make = BAD_CALLS[random.pick(Object.keys(BAD_CALLS))];
    if (make !== undefined) {
      return make(random, path, protobufRequest(signal), target);
    }
  }
  let body = hostileBody(random, signal, target.maxRequestBytes);
  while (body.encoding !== 'protobuf') {
    body = hostileBody(random, signal, target.maxRequestBytes);
  }
  return request(body.kind, OF_VERDICT[body.verdict], { path, ...compressed(body), ending: 'end' });
}
