import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { deferred } from '../deferred.ts';
import { Warnings } from '../warnings.ts';
import { BatchQueue } from './batch-queue.ts';
import { CollectorHealth } from './collector-health.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import { OtlpExporter, type OtlpSerializer } from './otlp-exporter.ts';

/** Batches of strings, encoded as JSON; `bad` cannot be. */
const serializer: OtlpSerializer<string[]> = {
  serializeRequest(batch) {
    if (batch.includes('bad')) throw new RangeError('cannot');
    return Buffer.from(JSON.stringify(batch));
  },
  deserializeResponse: (body) => JSON.parse(Buffer.from(body).toString()),
};

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function exporterTo(url: string) {
  const destination: OtlpDestination = {
    signal: 'LOGS',
    url,
    protocol: 'http/json',
    headers: {},
    compression: 'none',
    timeoutMillis: 20_000,
  };
  const exporter = new OtlpExporter(destination, serializer, new CollectorHealth(new Warnings(true)), 60_000);
  closing.push(() => exporter.close());
  return exporter;
}

async function receiver(
  answer: (batch: string[], number: number) => { status?: number; body?: string; until?: Promise<void> },
) {
  const received: string[][] = [];
  let open = 0;
  let mostOpen = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const batch = JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString());
    received.push(batch);
    const { status = 200, body = '', until } = answer(batch, received.length);
    await until;
    open -= 1;
    response.writeHead(status, { 'retry-after': '0' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const exporter = exporterTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`);
  return { received, exporter, mostOpen: () => mostOpen };
}

const soon = () => Date.now() + 5000;

test('a record that cannot be encoded is lost alone', async () => {
  const { received, exporter } = await receiver(() => ({}));
  exporter.send(['a', 'b', 'bad', 'c', 'd'], 5);
  await exporter.drain(soon());
  expect(received.flat().sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(exporter.counts).toEqual({ delivered: 4, dropped: 1 });
  expect(exporter.errors).toHaveLength(1);
});

test('what the receiver rejects of an accepted batch is counted', async () => {
  const { exporter } = await receiver(() => ({
    body: '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}',
  }));
  exporter.send(['a', 'b', 'c'], 3);
  await exporter.drain(soon());
  expect(exporter.counts).toEqual({ delivered: 1, dropped: 2 });
  expect(exporter.errors[0]?.message).toContain('rejected 2 records: too old');
});

test('an address whose password cannot be read loses batches, not the application', async () => {
  const exporter = exporterTo('http://user:50%off@127.0.0.1:4318/v1/logs');
  exporter.send(['a', 'b'], 2);
  await exporter.drain(soon());
  expect(exporter.counts).toEqual({ delivered: 0, dropped: 2 });
  expect(exporter.errors).toHaveLength(1);
});

test('only what OTLP calls retryable is retried', async () => {
  const { received, exporter } = await receiver(([item], number) => ({
    status: item === 'again' && number < 3 ? 503 : item === 'never' ? 400 : 200,
  }));
  exporter.send(['again'], 1);
  await exporter.drain(soon());
  expect(received).toEqual([['again'], ['again'], ['again']]);
  exporter.send(['never'], 1);
  await exporter.drain(soon());
  expect(received).toHaveLength(4);
  expect(exporter.counts).toEqual({ delivered: 1, dropped: 1 });
});

test('a queue keeps several requests under way, and drops and counts what does not fit', async () => {
  const released = deferred<void>();
  const { received, exporter, mostOpen } = await receiver(() => ({ until: released.promise }));
  let told = 0;
  const queue = new BatchQueue(
    { maxQueueSize: 20, maxExportBatchSize: 2, scheduledDelayMillis: 10_000, exportTimeoutMillis: 60_000 },
    exporter,
    () => {
      told += 1;
    },
  );
  for (let item = 0; item < 25; item += 1) queue.add(String(item));
  expect(queue.dropped).toBe(5);
  expect(told).toBe(5);
  await expect.poll(mostOpen, { timeout: 20_000 }).toBe(8);
  released.resolve();
  await queue.flush(soon());
  expect(
    received
      .flat()
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(exporter.counts).toEqual({ delivered: 20, dropped: 0 });
});

test('an incomplete batch leaves after the delay', async () => {
  const { received, exporter } = await receiver(() => ({}));
  const queue = new BatchQueue(
    { maxQueueSize: 20, maxExportBatchSize: 10, scheduledDelayMillis: 20, exportTimeoutMillis: 60_000 },
    exporter,
    () => {},
  );
  queue.add('a');
  queue.add('b');
  await expect.poll(() => received).toEqual([['a', 'b']]);
});
