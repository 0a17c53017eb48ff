import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type SpanInput, START_MS, spansOf } from '../testing/requests.ts';
import type { TailSampler } from './tail-sampler.ts';
import { tailSamplingFactory } from './tail-sampling-factory.ts';

const trace = (n: number) => n.toString(16).padStart(32, '0');
const CONFIG = `decision_wait: 10s
policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]`;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tail-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One life of a sampler on the data in a folder. */
async function life(folder: string, yaml = CONFIG) {
  const clock = { now: START_MS };
  const context = testContext({ now: () => clock.now, folder });
  const settings = settingsOf(yaml);
  const blueprint = tailSamplingFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const sampler = blueprint.create(context, sink.consumers) as TailSampler;
  await sampler.start();
  onTestFinished(() => sampler.shutdown(0));
  return {
    sink,
    context,
    sampler,
    kept: () => sink.spans.map(({ traceId, name }) => `${Number.parseInt(traceId, 16)} ${name}`),
    send: (...spans: SpanInput[]) => sampler.consume(spansOf(...spans)),
    heldBytes: () => context.gauged('signalbox_tail_sampling_held_bytes') ?? 0,
    pass(milliseconds: number) {
      clock.now += milliseconds;
      sampler.decideDue();
    },
    /** What a crash at this moment leaves behind. */
    crash() {
      const copy = newFolder();
      cpSync(folder, copy, { recursive: true });
      return copy;
    },
  };
}

it('spans that wait survive a crash, and are decided with those that come after it', async () => {
  const first = await life(newFolder());
  await first.send(
    { traceId: trace(1), name: 'a' },
    { traceId: trace(2), name: 'b' },
    { traceId: trace(3), status: 2, name: 'c' },
  );
  const second = await life(first.crash());
  expect(second.context.logged).toContainEqual(expect.stringContaining('{"traces":3}'));
  await second.send({ traceId: trace(1), status: 2, name: 'later' });
  second.pass(10_000);
  await expect.poll(() => second.kept().sort()).toEqual(['1 a', '1 later', '3 c']);
});

it('decisions survive: late spans follow them, and nothing goes on twice', async () => {
  const first = await life(newFolder());
  await first.send({ traceId: trace(1), status: 2, name: 'kept' }, { traceId: trace(2), name: 'dropped' });
  first.pass(9_000);
  await first.send({ traceId: trace(3), name: 'waits' });
  const held = first.heldBytes();
  first.pass(1_000);
  // The decisions are on disk once their spans are let go.
  await expect.poll(first.heldBytes).toBeLessThan(held);
  expect(first.kept()).toEqual(['1 kept']);
  const second = await life(first.crash());
  await second.send({ traceId: trace(1), name: 'late' }, { traceId: trace(2), status: 2, name: 'late' });
  await second.send({ traceId: trace(3), status: 2, name: 'with the one from before' });
  second.pass(10_000);
  await expect.poll(second.kept).toEqual(['1 late', '3 waits', '3 with the one from before']);
});

it('sampled spans that nobody took survive, in the order of their decisions', async () => {
  const first = await life(newFolder());
  first.sink.respond = () => {
    throw new SignalboxError('unavailable', 'down');
  };
  await first.send({ traceId: trace(1), status: 2 });
  first.pass(1_000);
  await first.send({ traceId: trace(2), status: 2 });
  first.pass(10_000);
  expect(first.kept()).toEqual([]);
  const second = await life(first.crash());
  second.pass(10_000);
  await expect.poll(second.kept).toEqual(['1 GET /', '2 GET /']);
});

it('a shutdown leaves what waits for the next start', async () => {
  const folder = newFolder();
  const first = await life(folder);
  await first.send({ traceId: trace(1), status: 2 });
  await first.sampler.shutdown(1_000);
  expect(first.kept()).toEqual([]);
  const second = await life(folder);
  second.pass(10_000);
  await expect.poll(second.kept).toEqual(['1 GET /']);
});

it('in memory, a shutdown decides what waits; start-up says what a crash would lose', async () => {
  const { send, sampler, kept, context } = await life(newFolder(), `durable: false\n${CONFIG}`);
  expect(context.logged).toEqual([expect.stringMatching(/^warn: a crash loses the spans that wait/)]);
  await send({ traceId: trace(1), status: 2 });
  await sampler.shutdown(1_000);
  expect(kept()).toEqual(['1 GET /']);
});

it('the journal does not grow with what is done', async () => {
  const folder = newFolder();
  const { send, pass, heldBytes } = await life(
    folder,
    `decision_wait: 1s
num_traces: 10
max_size: 256KiB
policies: [{name: none, type: status_code, status_code: {status_codes: [ERROR]}}]`,
  );
  const size = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  let largest = 0;
  for (let round = 0; round < 30; round++) {
    await send(
      ...Array.from({ length: 9 }, (_, i) => ({ traceId: trace(round * 9 + i + 1), name: 'x'.repeat(3_000) })),
    );
    pass(1_000);
    await expect.poll(heldBytes).toBe(0);
    largest = Math.max(largest, size());
  }
  // 30 rounds of 27 KB were written.
  expect(largest).toBeLessThan(256 * 1024);
});
