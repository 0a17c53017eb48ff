import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ALL_ACCEPTED, type ConsumeResult } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { exportPath, type GrpcAnswer, GZIP_CLIENT, grpcCall, grpcClient } from '../testing/grpc-call.ts';
import { grpcFrame } from '../testing/hostile/hostile-grpc.ts';
import { httpPost, readAll } from '../testing/http-post.ts';
import { protobufRequest, SIGNALS } from '../testing/otlp-requests.ts';
import { bytesField } from '../testing/protobuf-writer.ts';
import { type Receivers, type ReceiversOptions, startReceivers } from '../testing/receivers.ts';
import { decodeProtobufStatus } from '../testing/rpc-status.ts';

const EXPORT = exportPath('trace.v1.TraceService');

let receivers: Receivers;
let client: grpc.Client;

async function start(options?: ReceiversOptions): Promise<void> {
  receivers = await startReceivers(options);
  client = grpcClient(receivers.grpcAddress);
}

afterEach(async () => {
  client.close();
  await receivers.stop();
  await vi.waitFor(() => expect(receivers.service.inFlight.used).toBe(0));
});

const call = (message: Buffer, path = EXPORT, options: grpc.CallOptions = {}) =>
  grpcCall(client, path, message, options);

/** A client that compresses, the way the official exporter's does. */
function gzipClient(): void {
  client.close();
  client = grpcClient(receivers.grpcAddress, GZIP_CLIENT);
}

function heldConsumer() {
  let release: (result: ConsumeResult) => void = () => {};
  const held = new Promise<ConsumeResult>((resolve) => {
    release = resolve;
  });
  const signals: (AbortSignal | undefined)[] = [];
  receivers.consumers.traces.respond = (_batch, signal) => {
    signals.push(signal);
    return held;
  };
  return { release: () => release(ALL_ACCEPTED), signals };
}

function detailsOf({ metadata }: GrpcAnswer) {
  const [details] = metadata.get('grpc-status-details-bin');
  return details === undefined ? null : decodeProtobufStatus(details as Buffer);
}

describe('Export', () => {
  it.each(SIGNALS)('takes $signal', async ({ signal, service }) => {
    await start();
    const answer = await call(protobufRequest(signal), exportPath(service));
    expect(answer).toMatchObject({ code: grpc.status.OK, message: Buffer.alloc(0) });
    expect(receivers.consumers[signal].batches).toHaveLength(1);
    expect(receivers.service.received[signal].accepted).toBe(1);
  });

  it('takes gzip', async () => {
    await start();
    gzipClient();
    expect((await call(protobufRequest('traces'))).code).toBe(grpc.status.OK);
  });

  it('does not know other methods', async () => {
    await start();
    expect((await call(Buffer.alloc(0), '/grpc.health.v1.Health/Check')).code).toBe(grpc.status.UNIMPLEMENTED);
  });

  it('refuses what it cannot decode for good', async () => {
    await start();
    const answer = await call(Buffer.from([0x0a, 0x7f]));
    expect(answer.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(answer.details).not.toBe('');
    expect(detailsOf(answer)).toBeNull();
  });
});

describe('size limit', () => {
  it('refuses a message over it for good: without RetryInfo', async () => {
    await start({ service: { maxRequestBytes: 1_000_000 } });
    const answer = await call(Buffer.alloc(1_000_001));
    expect(answer.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(detailsOf(answer)?.retryDelayMs).toBeUndefined();
  });

  it('counts after decompression', async () => {
    await start({ service: { maxRequestBytes: 1_000_000 } });
    gzipClient();
    const answer = await call(Buffer.alloc(50_000_000));
    expect(answer.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(detailsOf(answer)?.retryDelayMs).toBeUndefined();
  });

  it('takes messages up to it, several at once', async () => {
    await start();
    const padded = Buffer.concat([protobufRequest('traces'), bytesField(15, Buffer.alloc(60_000_000))]);
    const answers = await Promise.all([call(padded), call(padded), call(padded)]);
    expect(answers.map(({ code }) => code)).toEqual([grpc.status.OK, grpc.status.OK, grpc.status.OK]);
  });
});

describe('overload', () => {
  it('is UNAVAILABLE with RetryInfo when too many bytes are in memory', async () => {
    await start({ service: { maxInFlightBytes: 40_000 } });
    const { release, signals } = heldConsumer();
    // An unknown field follows the valid request.
    const big = Buffer.concat([protobufRequest('traces'), bytesField(15, Buffer.alloc(20_000))]);
    const first = call(big);
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    const second = await call(big);
    expect(second.code).toBe(grpc.status.UNAVAILABLE);
    expect(detailsOf(second)).toMatchObject({ code: 14, retryDelayMs: 1_000 });
    release();
    expect((await first).code).toBe(grpc.status.OK);
  });

  it("tells a consumer's wait", async () => {
    await start();
    receivers.consumers.traces.respond = () => {
      throw new SignalboxError('unavailable', 'Die Platte ist voll: 100 %', { retryAfterMs: 12_500 });
    };
    const answer = await call(protobufRequest('traces'));
    expect(answer).toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'Die Platte ist voll: 100 %' });
    expect(detailsOf(answer)?.retryDelayMs).toBe(12_500);
  });

  it('makes a client queue calls beyond the number of streams', async () => {
    await start({ grpc: { maxConcurrentStreams: 4 } });
    let most = 0;
    let now = 0;
    receivers.consumers.traces.respond = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return ALL_ACCEPTED;
    };
    const answers = await Promise.all(Array.from({ length: 100 }, () => call(protobufRequest('traces'))));
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => grpc.status.OK));
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe('a client that does not wait', () => {
  it('aborts the work at its deadline', async () => {
    await start();
    const { release, signals } = heldConsumer();
    const answer = await call(protobufRequest('traces'), EXPORT, { deadline: Date.now() + 200 });
    expect(answer.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
    release();
  });

  it('aborts the work when it cancels', async () => {
    await start();
    const { release, signals } = heldConsumer();
    const identity = (bytes: Buffer) => bytes;
    const running = client.makeUnaryRequest(EXPORT, identity, identity, protobufRequest('traces'), () => {});
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    running.cancel();
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
    release();
  });
});

describe('slow and silent clients', () => {
  it('gives up on a message that stalls', async () => {
    await start({ grpc: { messageIdleTimeoutMs: 100 } });
    const session = connectHttp2(`http://${receivers.grpcAddress}`);
    const stream = session.request({ ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc' });
    stream.write(grpcFrame(protobufRequest('traces')).subarray(0, 20));
    const status = await new Promise((resolve) =>
      stream.once('response', (headers) => resolve(headers['grpc-status'])),
    );
    expect(Number(status)).toBe(grpc.status.DEADLINE_EXCEEDED);
    session.destroy();
  });

  it('gives up on a connection that does not speak', async () => {
    await start({ grpc: { handshakeTimeoutMs: 100 } });
    const socket = connect(receivers.grpc.address.port, '127.0.0.1');
    await readAll(socket);
  });

  it('ends connections whose client does not answer pings', async () => {
    await start({ grpc: { keepAliveMs: 100 } });
    const socket = connect(receivers.grpc.address.port, '127.0.0.1');
    // The preface and empty SETTINGS; nothing after, so no ping is ever answered.
    socket.write(
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
    );
    await readAll(socket);
  });

  it('leaves nothing behind when a client resets in its message', async () => {
    await start();
    const session = connectHttp2(`http://${receivers.grpcAddress}`);
    const stream = session.request({ ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc' });
    stream.write(grpcFrame(protobufRequest('traces')).subarray(0, 20));
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBeGreaterThan(0));
    stream.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBe(0));
    session.destroy();
  });
});

describe('the port', () => {
  it('tells a client of OTLP/HTTP that it is the wrong one', async () => {
    await start();
    const url = `http://${receivers.grpcAddress}/v1/traces`;
    const answer = await httpPost(url, {
      headers: { 'Content-Type': 'application/x-protobuf' },
      body: Buffer.alloc(200_000),
    });
    expect(answer.status).toBe(400);
    expect(answer.body.toString()).toContain('--otlp-http-port');
  });

  it('names the settings to change when it is taken', async () => {
    await start();
    const { port } = receivers.grpc.address;
    const error = await startReceivers({ grpc: { port } }).catch((reason: unknown) => reason);
    expect((error as SignalboxError).hint).toContain('--otlp-grpc-port or SIGNALBOX_OTLP_GRPC_PORT');
  });
});

describe('shutdown', () => {
  it('lets a call under way finish, and takes no new connection', async () => {
    await start();
    const { release, signals } = heldConsumer();
    const underWay = call(protobufRequest('traces'));
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    const { port } = receivers.grpc.address;
    const stopped = receivers.grpc.shutdown(10_000);
    const refused = await new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve));
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    release();
    expect((await underWay).code).toBe(grpc.status.OK);
    await stopped;
  });

  it('cuts what is not done at the deadline', async () => {
    await start();
    const { release, signals } = heldConsumer();
    const underWay = call(protobufRequest('traces'));
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    await receivers.grpc.shutdown(100);
    expect((await underWay).code).toBe(grpc.status.UNAVAILABLE);
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
    release();
  });
});
