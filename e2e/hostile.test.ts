import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHostileRequests } from '../packages/server/src/receive/testing/hostile/run-hostile-requests.ts';
import { httpPost } from '../packages/server/src/receive/testing/http-post.ts';
import { jsonRequest } from '../packages/server/src/receive/testing/otlp-requests.ts';
import { SignalboxProcess } from './signalbox-process.ts';

const MIB = 1024 * 1024;
const MAX_REQUEST_BYTES = 8 * MIB;
const MAX_IN_FLIGHT_BYTES = 128 * MIB;

let signalbox: SignalboxProcess;

beforeAll(async () => {
  signalbox = await new SignalboxProcess().start('--max-request-size', '8MiB', '--max-inflight-size', '128MiB');
});

afterAll(() => signalbox.dispose());

/** Highest resident memory of the process so far, in bytes; null where the system does not tell. */
function highestMemory(): number | null {
  const file = `/proc/${signalbox.child.process.pid}/status`;
  return existsSync(file) ? Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1]) * 1024 : null;
}

test('ten thousand hostile requests: no crash, memory bounded, each answered as the protocol says', async () => {
  const before = highestMemory();
  const report = await runHostileRequests({
    target: {
      host: '127.0.0.1',
      httpPort: Number(new URL(signalbox.otlpHttp).port),
      grpcPort: Number(new URL(signalbox.otlpGrpc).port),
      maxRequestBytes: MAX_REQUEST_BYTES,
      patienceMs: 30_000,
    },
    seed: 3,
    count: 10_000,
    concurrency: 16,
  });
  expect(report.complaints).toEqual([]);
  expect(signalbox.child.exited).toBe(false);
  expect(signalbox.child.output).not.toMatch(/Unexpected error/);
  const after = highestMemory();
  if (before !== null && after !== null) {
    // Requests twice over (once more while bodies are joined), and what the engine takes to store what was valid.
    expect(after - before).toBeLessThan(2 * MAX_IN_FLIGHT_BYTES + 512 * MIB);
  }
  const sound = await httpPost(`${signalbox.otlpHttp}/v1/traces`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(jsonRequest('traces')),
  });
  expect(sound.status).toBe(200);
  expect(await signalbox.child.stop('SIGTERM')).toMatchObject({ code: 0 });
}, 300_000);
