import { connect, type Socket } from 'node:net';
import { platform } from 'node:os';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpPost } from '../http-post.ts';
import { jsonRequest, protobufRequest } from '../otlp-requests.ts';
import { type ReceiverProcess, startReceiverProcess } from '../start-receiver-process.ts';
import { runHostileRequests } from './run-hostile-requests.ts';

const MIB = 1024 * 1024;
const MAX_REQUEST_BYTES = 16 * MIB;
const MAX_IN_FLIGHT_BYTES = 64 * MIB;

/** Over what the process takes at rest: the bytes in flight, once more while bodies are joined, and the collector's slack. */
const MAX_GROWTH_BYTES = 2 * MAX_IN_FLIGHT_BYTES + 128 * MIB;

let receiver: ReceiverProcess;
let atRest: number;

const linux = platform() === 'linux';

describe.skipIf(!linux)(`memory of the receivers${linux ? '' : ' (measured on Linux only)'}`, () => {
  beforeEach(async () => {
    receiver = await startReceiverProcess({
      maxRequestBytes: MAX_REQUEST_BYTES,
      maxInFlightBytes: MAX_IN_FLIGHT_BYTES,
      consumeMs: 100,
    });
    atRest = receiver.memory().highest;
  });

  afterEach(async () => {
    const exitCode = receiver.exitCode();
    await receiver.stop();
    expect(exitCode).toBeNull();
    expect(receiver.errors()).toBe('');
  });

  const target = () => ({
    host: '127.0.0.1',
    httpPort: receiver.httpPort,
    grpcPort: receiver.grpcPort,
    maxRequestBytes: MAX_REQUEST_BYTES,
    patienceMs: 30_000,
  });

  async function expectAlive(): Promise<void> {
    const body = JSON.stringify(jsonRequest('traces'));
    const url = `http://127.0.0.1:${receiver.httpPort}/v1/traces`;
    const headers = { 'Content-Type': 'application/json' };
    await vi.waitFor(async () => expect((await httpPost(url, { headers, body })).status).toBe(200), {
      timeout: 10_000,
    });
  }

  it('stays within its limit under hostile requests', { timeout: 120_000 }, async () => {
    const report = await runHostileRequests({ target: target(), seed: 2, count: 1_000, concurrency: 32 });
    expect(report.complaints).toEqual([]);
    expect(receiver.memory().highest - atRest).toBeLessThan(MAX_GROWTH_BYTES);
    await expectAlive();
  });

  it('stays within its limit under bombs and large bodies at once', { timeout: 120_000 }, async () => {
    const url = `http://127.0.0.1:${receiver.httpPort}/v1/logs`;
    const bomb = gzipSync(Buffer.alloc(200 * MIB, ' '));
    const almost = gzipSync(Buffer.alloc(MAX_REQUEST_BYTES, ' '));
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
        return (await httpPost(url, { headers, body: index % 2 === 0 ? bomb : almost })).status;
      }),
    );
    // Too large, blank and so no JSON, or too many at once.
    expect(statuses.filter((status) => ![413, 400, 429].includes(status))).toEqual([]);
    expect(receiver.memory().highest - atRest).toBeLessThan(MAX_GROWTH_BYTES);
    await expectAlive();
  });

  it('stays within its limit under records of two bytes each', { timeout: 120_000 }, async () => {
    // Empty log records: on the wire a tag and a length, in columns some hundred bytes.
    const records = Array.from({ length: 150_000 }, () => new Uint8Array());
    const body = gzipSync(protobufRequest('logs', records));
    const url = `http://127.0.0.1:${receiver.httpPort}/v1/logs`;
    const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'gzip' };
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => (await httpPost(url, { headers, body })).status),
    );
    expect(statuses.filter((status) => ![200, 429].includes(status))).toEqual([]);
    expect(statuses).toContain(200);
    expect(receiver.memory().highest - atRest).toBeLessThan(MAX_GROWTH_BYTES);
    await expectAlive();
  });

  it('stays within its limit under senders that stop halfway', { timeout: 120_000 }, async () => {
    const head = `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${MAX_REQUEST_BYTES}\r\n\r\n`;
    const sockets: Socket[] = [];
    for (let index = 0; index < 100; index += 1) {
      const socket = connect(receiver.httpPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(head);
      socket.write(Buffer.alloc(4 * MIB, ' '));
      sockets.push(socket);
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(receiver.memory().highest - atRest).toBeLessThan(MAX_GROWTH_BYTES);
    for (const socket of sockets) socket.destroy();
    await expectAlive();
  });
});
