import { Agent } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ALL_ACCEPTED, type ConsumeResult } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { httpPost, readAll } from '../testing/http-post.ts';
import { jsonRequest, protobufRequest } from '../testing/otlp-requests.ts';
import { type Receivers, type ReceiversOptions, startReceivers } from '../testing/receivers.ts';
import { decodeStatus } from '../testing/rpc-status.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PROTOBUF_TYPE = { 'Content-Type': 'application/x-protobuf' };
const VALID = JSON.stringify(jsonRequest('traces'));

let receivers: Receivers;

async function start(options?: ReceiversOptions): Promise<string> {
  receivers = await startReceivers(options);
  return `${receivers.url}/v1/traces`;
}

afterEach(async () => {
  await receivers.stop();
  await vi.waitFor(() => expect(receivers.service.inFlight.used).toBe(0));
});

/** A consumer that answers when the test says so. */
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

function openSocket(bytes: string | Buffer) {
  const socket = connect(receivers.http.address.port, '127.0.0.1');
  socket.write(bytes);
  return socket;
}

describe('start', () => {
  it('names the settings to change when the port is taken', async () => {
    await start();
    const { port } = receivers.http.address;
    const error = await startReceivers({ http: { port } }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignalboxError);
    expect(error).toMatchObject({ message: expect.stringContaining(String(port)) });
    expect((error as SignalboxError).hint).toContain('--otlp-http-port or SIGNALBOX_OTLP_HTTP_PORT');
  });
});

describe('size limit', () => {
  it('refuses a declared length before the body is sent', async () => {
    const url = await start({ service: { maxRequestBytes: 1_000 } });
    const headers = { ...JSON_TYPE, 'Content-Length': '1001', Expect: '100-continue' };
    const answer = await httpPost(url, { headers });
    expect(answer).toMatchObject({ status: 413, continued: false });
    expect(decodeStatus(answer.body, 'application/json').code).toBe(8);
  });

  it('asks for the body of a sound request that waits', async () => {
    const url = await start();
    const answer = await httpPost(url, { headers: { ...JSON_TYPE, Expect: '100-continue' }, body: VALID });
    expect(answer).toMatchObject({ status: 200, continued: true });
  });

  it('counts after decompression', async () => {
    const url = await start({ service: { maxRequestBytes: 100_000 } });
    const body = (size: number) => gzipSync(VALID.padEnd(size));
    const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
    expect((await httpPost(url, { headers, body: body(100_000) })).status).toBe(200);
    expect((await httpPost(url, { headers, body: body(100_001) })).status).toBe(413);
  });

  it('bounds input that expands to nothing', async () => {
    const url = await start({ service: { maxRequestBytes: 100_000 } });
    const body = Buffer.concat(Array.from({ length: 6_000 }, () => gzipSync('')));
    const headers = { ...PROTOBUF_TYPE, 'Content-Encoding': 'gzip', 'Transfer-Encoding': 'chunked' };
    expect((await httpPost(url, { headers, body })).status).toBe(413);
  });

  it('does not reset a sender that sends on regardless', async () => {
    await start({ service: { maxRequestBytes: 1_000_000 } });
    const socket = openSocket(
      'POST /v1/traces HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 1500000\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = readAll(socket);
    for (let part = 0; part < 3; part += 1) {
      await new Promise<void>((resolve, reject) => {
        socket.write(Buffer.alloc(500_000), (error) => (error ? reject(error) : setTimeout(resolve, 50)));
      });
    }
    await closed;
  });

  it('keeps the connection after a refusal, and reads the rest of the refused body away', async () => {
    const url = await start({ service: { maxRequestBytes: 1_000_000 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const refused = await httpPost(url, { headers: PROTOBUF_TYPE, body: Buffer.alloc(1_500_000), agent });
    expect(refused.status).toBe(413);
    expect((await httpPost(url, { headers: JSON_TYPE, body: VALID, agent })).status).toBe(200);
    agent.destroy();
  });
});

describe('overload', () => {
  it('asks to retry when too many bytes are in memory, and recovers', async () => {
    const url = await start({ service: { maxInFlightBytes: 40_000 } });
    const { release } = heldConsumer();
    const body = VALID.padEnd(20_000);
    const first = httpPost(url, { headers: JSON_TYPE, body });
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBeGreaterThan(20_000));
    const second = await httpPost(url, { headers: JSON_TYPE, body });
    expect(second.status).toBe(429);
    expect(second.headers['retry-after']).toBe('1');
    expect(decodeStatus(second.body, 'application/json').message).toMatch(/try again/);
    release();
    expect((await first).status).toBe(200);
    expect((await httpPost(url, { headers: JSON_TYPE, body })).status).toBe(200);
  });

  it('counts what waits uncompressed, not what was sent', async () => {
    const url = await start({ service: { maxInFlightBytes: 100_000 } });
    const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
    expect((await httpPost(url, { headers, body: gzipSync(VALID.padEnd(100_000)) })).status).toBe(429);
  });

  it('closes connections beyond its number, and makes room by ending idle ones', async () => {
    const url = await start({ http: { maxConnections: 2 } });
    const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
    for (const agent of agents) await httpPost(url, { headers: JSON_TYPE, body: VALID, agent });
    await expect(httpPost(url, { headers: JSON_TYPE, body: VALID })).rejects.toThrow(/hang up|ECONNRESET/);
    await vi.waitFor(async () => expect((await httpPost(url, { headers: JSON_TYPE, body: VALID })).status).toBe(200));
    for (const agent of agents) agent.destroy();
  });

  it('answers a storm of connections', async () => {
    const url = await start();
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => httpPost(url, { headers: { ...JSON_TYPE, Connection: 'close' }, body: VALID })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(receivers.consumers.traces.batches).toHaveLength(500);
  });
});

describe('slow senders', () => {
  const impatient = { headersTimeoutMs: 200, requestTimeoutMs: 600, bodyIdleTimeoutMs: 200 };

  it('gives up on headers that do not end', async () => {
    await start({ http: impatient });
    expect(await readAll(openSocket('POST /v1/traces HTTP/1.1\r\nHost: a\r\n'))).toMatch(/^HTTP\/1\.1 408 /);
  });

  // 408 is not among the statuses that OTLP lets a client try again after (specification.md, "Retryable Response Codes").
  it('gives up on a body that stalls, in the words of OTLP: it may be sent again', async () => {
    await start({ http: impatient });
    const answer = await readAll(
      openSocket(
        `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
      ),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*\r\nContent-Type: application\/json\r\n/s);
    expect(answer).toMatch(/\r\nRetry-After: [1-9]\d*\r\n/);
    expect(answer).toContain('"message"');
  });

  it('gives up on a body that trickles', async () => {
    await start({ http: impatient });
    const socket = openSocket(
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n`,
    );
    const trickle = setInterval(() => socket.write(' '), 50);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: [1-9]\d*\r\n/s);
    clearInterval(trickle);
  });

  it('answers others meanwhile', async () => {
    const url = await start();
    const slow = Array.from({ length: 200 }, () => openSocket('POST /v1/traces HTTP/1.1\r\nHost: a\r\n'));
    expect((await httpPost(url, { headers: JSON_TYPE, body: VALID })).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('a sender that goes away', () => {
  it('leaves nothing behind when it does so in its body', async () => {
    await start();
    const head = 'POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{';
    const socket = openSocket(head);
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBeGreaterThan(0));
    socket.destroy();
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBe(0));
    expect(receivers.internalErrors).toEqual([]);
  });

  it('aborts what is done for it', async () => {
    await start();
    const { release, signals } = heldConsumer();
    const socket = openSocket(
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${VALID.length}\r\n\r\n${VALID}`,
    );
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    expect(signals[0]?.aborted).toBe(false);
    socket.destroy();
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
    release();
  });
});

describe('bytes that are not HTTP', () => {
  it('still answers the sound request before them', async () => {
    await start();
    const { release } = heldConsumer();
    const head = `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${VALID.length}\r\n\r\n`;
    const socket = openSocket(`${head}${VALID}NONSENSE\r\n\r\n`);
    const answer = readAll(socket);
    await vi.waitFor(() => expect(receivers.service.inFlight.used).toBeGreaterThan(0));
    release();
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('what consumers say', () => {
  it('keeps an unexpected error to itself', async () => {
    const url = await start();
    receivers.consumers.traces.respond = () => {
      throw new Error('secret');
    };
    const answer = await httpPost(url, { headers: PROTOBUF_TYPE, body: protobufRequest('traces') });
    expect(answer.status).toBe(500);
    expect(decodeStatus(answer.body, 'application/x-protobuf')).toEqual({ code: 13, message: 'Internal error' });
    expect(receivers.internalErrors).toEqual([new Error('secret')]);
    expect(receivers.service.received.traces).toMatchObject({ accepted: 0, refusedRequests: 1 });
  });

  it('puts the wait into Retry-After, in whole seconds', async () => {
    const url = await start();
    receivers.consumers.traces.respond = () => {
      throw new SignalboxError('unavailable', 'The disk is full', { retryAfterMs: 2_100 });
    };
    const answer = await httpPost(url, { headers: JSON_TYPE, body: VALID });
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '3' } });
  });

  it('counts rows accepted and rejected', async () => {
    const url = await start();
    receivers.consumers.traces.respond = () => ({ rejected: 1, reason: 'too old' });
    const body = JSON.stringify(jsonRequest('traces', 3));
    const answer = await httpPost(url, { headers: JSON_TYPE, body });
    expect(JSON.parse(answer.body.toString())).toEqual({
      partialSuccess: { rejectedSpans: '1', errorMessage: 'too old' },
    });
    expect(receivers.service.received.traces).toEqual({ accepted: 2, rejected: 1, refusedRequests: 0 });
  });
});

describe('CORS', () => {
  const preflight = {
    method: 'OPTIONS',
    headers: {
      Origin: 'https://shop.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type',
    },
  };

  it('is off by default', async () => {
    const url = await start();
    const answer = await httpPost(url, preflight);
    expect(answer.status).toBe(405);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('lets named origins send, and no others', async () => {
    const url = await start({ http: { corsOrigins: ['https://shop.example'] } });
    const answer = await httpPost(url, preflight);
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      vary: 'Origin',
    });
    const sent = await httpPost(url, { headers: { ...JSON_TYPE, Origin: 'https://shop.example' }, body: VALID });
    expect(sent.headers['access-control-allow-origin']).toBe('https://shop.example');
    const other = await httpPost(url, {
      ...preflight,
      headers: { ...preflight.headers, Origin: 'https://evil.example' },
    });
    expect(other.status).toBe(405);
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('shutdown', () => {
  it('lets a request under way finish, and takes no new one', async () => {
    const url = await start();
    const { release, signals } = heldConsumer();
    const agent = new Agent({ keepAlive: true });
    const underWay = httpPost(url, { headers: JSON_TYPE, body: VALID, agent });
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    const stopped = receivers.http.shutdown(10_000);
    await expect(httpPost(url, { headers: JSON_TYPE, body: VALID })).rejects.toThrow(/ECONNREFUSED/);
    release();
    expect(await underWay).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await stopped;
    agent.destroy();
  });

  it('cuts what is not done at the deadline', async () => {
    const url = await start();
    const { release, signals } = heldConsumer();
    const underWay = httpPost(url, { headers: JSON_TYPE, body: VALID });
    const failed = expect(underWay).rejects.toThrow(/socket hang up|ECONNRESET/);
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    const began = performance.now();
    await receivers.http.shutdown(100);
    expect(performance.now() - began).toBeLessThan(2_000);
    await failed;
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
    release();
  });
});
