import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Receivers, startReceivers } from '../receivers.ts';
import { runHostileRequests } from './run-hostile-requests.ts';

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

let receivers: Receivers;

beforeAll(async () => {
  receivers = await startReceivers({ service: { maxRequestBytes: MAX_REQUEST_BYTES } });
});

afterAll(() => receivers.stop());

it('answers a thousand hostile requests as the protocols say', { timeout: 120_000 }, async () => {
  const report = await runHostileRequests({
    target: {
      host: '127.0.0.1',
      httpPort: receivers.http.address.port,
      grpcPort: receivers.grpc.address.port,
      maxRequestBytes: MAX_REQUEST_BYTES,
      patienceMs: 20_000,
    },
    seed: 1,
    count: 1_000,
    concurrency: 16,
  });
  expect(report.complaints).toEqual([]);
  expect(receivers.internalErrors).toEqual([]);
  expect(receivers.service.inFlight.used).toBe(0);
  // Every kind had its turn.
  expect(report.byKind.size).toBeGreaterThan(40);
});
