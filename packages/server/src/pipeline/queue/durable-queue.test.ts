import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { SignalboxError } from '../signalbox-error.ts';
import { DurableQueue, type DurableQueueOptions } from './durable-queue.ts';
import { MemoryQueue } from './memory-queue.ts';
import type { RecordQueue } from './record-queue.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'signalbox-queue-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const open = (path: string, options: Partial<DurableQueueOptions> = {}) =>
  DurableQueue.open({ folder: path, maxBytes: 1 << 20, ...options });

const text = (value: string) => new TextEncoder().encode(value);

/** Takes all that waits, and gives what it holds. */
async function contents(queue: RecordQueue): Promise<string[]> {
  const found: string[] = [];
  for (let entry = queue.take(); entry !== null; entry = queue.take()) {
    found.push(`${entry.kind}/${entry.count}:${new TextDecoder().decode(await queue.read(entry))}`);
  }
  return found;
}

test.each([
  ['memory', () => new MemoryQueue(100)],
  ['disk', () => open(folder(), { maxBytes: 100 })],
  ['disk without a cache', () => open(folder(), { maxBytes: 100, cacheBytes: 0 })],
])('in %s, entries come out in order, stay until done, and the limit refuses', async (_, make) => {
  const queue = make();
  let calls = 0;
  queue.onEntry = () => calls++;
  await queue.append(0, 2, text('a'));
  await queue.append(1, 3, text('b'));
  expect([queue.length, queue.records, calls]).toEqual([2, 5, 2]);
  const first = queue.take();
  expect(first).toMatchObject({ kind: 0, count: 2, size: 1 });
  if (first === null) return;
  queue.putBack(first);
  expect(await contents(queue)).toEqual(['0/2:a', '1/3:b']);
  expect([queue.take(), queue.length]).toEqual([null, 2]);
  queue.done(first);
  expect([queue.length, queue.records]).toEqual([1, 3]);
  const refused = queue.append(0, 1, new Uint8Array(101));
  await expect(refused).rejects.toBeInstanceOf(SignalboxError);
  await expect(refused).rejects.toMatchObject({ code: 'resource_exhausted', retryable: true, retryAfterMs: 5_000 });
  await queue.close();
});

test('what was not done is there again after a restart, in its order; what was done is not', async () => {
  const path = folder();
  const queue = open(path);
  await Promise.all(['a', 'b', 'c'].map((value, index) => queue.append(index, 1, text(value))));
  queue.take();
  const second = queue.take();
  if (second !== null) queue.done(second);
  await queue.close();
  const again = open(path);
  expect(await contents(again)).toEqual(['0/1:a', '2/1:c']);
  await again.append(3, 1, text('d'));
  await again.close();
  expect(await contents(open(path))).toEqual(['0/1:a', '2/1:c', '3/1:d']);
});

test('files go when all in them is done, and room is there again', async () => {
  const path = folder();
  const queue = open(path, { maxBytes: 8_000 });
  const content = new Uint8Array(1_000);
  for (let round = 0; round < 20; round++) {
    await queue.append(0, 1, content);
    const entry = queue.take();
    if (entry !== null) queue.done(entry);
  }
  expect(queue.bytes).toBeLessThan(3_000);
  expect(readdirSync(path).filter((name) => name.endsWith('.queue')).length).toBeLessThanOrEqual(2);
  await queue.close();
  expect(readdirSync(path)).toEqual([]);
});

test.each([
  ['half a header', (file: string) => appendFileSync(file, Buffer.alloc(7)), ['0/1:a', '0/1:b'], 7],
  ['half an entry', (file: string) => appendFileSync(file, readFileSync(file).subarray(0, 16)), ['0/1:a', '0/1:b'], 16],
  [
    'an entry that was damaged',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] = 0x7a;
      writeFileSync(file, bytes);
    },
    ['0/1:a'],
    17,
  ],
])('a file that ends in %s keeps what is whole, says what is not, and takes more', async (_, damage, kept, bytes) => {
  const path = folder();
  const queue = open(path);
  await queue.append(0, 1, text('a'));
  await queue.append(0, 1, text('b'));
  await queue.close();
  damage(join(path, '000000000001.queue'));
  const damaged: number[] = [];
  const again = open(path, { onDamage: (_file, count) => damaged.push(count) });
  expect(damaged).toEqual([bytes]);
  await again.append(0, 1, text('c'));
  await again.close();
  const third = open(path, { onDamage: () => expect.fail('damaged once more') });
  expect(await contents(third)).toEqual([...kept, '0/1:c']);
});

test('whatever bytes a file holds, opening it neither throws nor makes entries up', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const path = mkdtempSync(join(tmpdir(), 'signalbox-queue-'));
      try {
        writeFileSync(join(path, '000000000001.queue'), bytes);
        const queue = open(path);
        // A checksum of 32 bits over random bytes; entries without content have one, too.
        expect(queue.length).toBe(0);
      } finally {
        rmSync(path, { recursive: true });
      }
    }),
    { numRuns: 100 },
  );
});

test('one process at a time', async () => {
  const path = folder();
  const queue = open(path);
  expect(() => open(path)).toThrow(/has the folder/);
  await queue.close();
  // Left behind by a process that was killed: no process has the largest id there can be.
  writeFileSync(join(path, 'lock'), String(2 ** 22 + 1));
  await open(path).close();
});

test('appends at the same time share a sync and all arrive', async () => {
  const path = folder();
  const queue = open(path);
  await Promise.all(Array.from({ length: 200 }, (_, index) => queue.append(0, 1, text(String(index)))));
  expect(queue.length).toBe(200);
  await queue.close();
  expect(await contents(open(path))).toEqual(Array.from({ length: 200 }, (_, index) => `0/1:${index}`));
});
