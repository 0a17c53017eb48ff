import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHostileRequests } from '../packages/server/src/receive/testing/hostile/run-hostile-requests.ts';
import { post, tracesRequest } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

const full = process.env.SIGNALBOX_TEST_TIER === 'full';
const count = full ? 10_000 : 1_000;
const mebibyte = 1024 * 1024;
const maxRequestBytes = 8 * mebibyte;
const maxInFlightBytes = 64 * mebibyte;

let signalbox: SignalboxProcess;
beforeAll(async () => {
  signalbox = await new SignalboxProcess().start(
    '--max-request-size',
    '8MiB',
    '--max-inflight-size',
    '64MiB',
    '--engine-memory',
    '512MiB',
  );
});
afterAll(async () => {
  await signalbox?.dispose();
});

/** Highest resident memory of the process so far, in bytes; undefined where the system does not tell. */
function peakMemory(): number | undefined {
  try {
    const status = readFileSync(`/proc/${signalbox.child.process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  } catch {
    return undefined;
  }
}

test(`${count} hostile requests: no crash, bounded memory, each answered as the protocol says`, {
  timeout: full ? 900_000 : 240_000,
}, async () => {
  const before = peakMemory();
  const report = await runHostileRequests({
    target: {
      host: '127.0.0.1',
      httpPort: Number(new URL(signalbox.otlpHttp).port),
      grpcPort: Number(new URL(signalbox.otlpGrpc).port),
      maxRequestBytes,
      patienceMs: 30_000,
    },
    seed: 20_261_121,
    count,
    concurrency: 32,
  });
  expect(report.sent).toBe(count);
  expect(report.complaints).toEqual([]);
  expect(signalbox.child.exited).toBe(false);
  expect(signalbox.child.output).not.toMatch(/Unexpected error/);
  const after = peakMemory();
  // Bytes in flight, their columns and blocks, and what the engine may take.
  if (before !== undefined && after !== undefined)
    expect(after - before).toBeLessThan(4 * maxInFlightBytes + 512 * mebibyte);
  expect((await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'alive' }))).status).toBe(200);
});
