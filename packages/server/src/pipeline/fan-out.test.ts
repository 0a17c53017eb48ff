import { type SpanBatch, textOf } from '@signalbox/records';
import { expect, test } from 'vitest';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from './consumer.ts';
import { fanOut, inTurn, withCopy } from './fan-out.ts';
import { SignalboxError } from './signalbox-error.ts';
import { spansOf } from './testing/record-sink.ts';

const SPAN = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /' };
const batch = () => spansOf({ resourceSpans: [{ scopeSpans: [{ spans: [SPAN] }] }] });

function consumer(outcome: ConsumeResult | Error, log: string[] = [], name = ''): Consumer<SpanBatch> {
  return {
    async consume({ bytes, name: names }) {
      await Promise.resolve();
      log.push(`${name}:${textOf(bytes, names, 0)}`);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
}

const reading = (...consumers: Consumer<SpanBatch>[]) =>
  fanOut(consumers.map((each) => ({ consumer: each, mutates: false })));

test('every consumer gets the batch; a row that two rejected is one row', async () => {
  const log: string[] = [];
  const all = reading(
    consumer(ALL_ACCEPTED, log, 'a'),
    consumer({ rejected: 2, reason: 'too old' }, log, 'b'),
    consumer({ rejected: 1, reason: 'too new' }, log, 'c'),
  );
  expect(await all.consume(batch())).toEqual({ rejected: 2, reason: 'too old; too new' });
  expect(log).toEqual(['a:GET /', 'b:GET /', 'c:GET /']);
});

test('a refusal is thrown only after the others have finished with the batch', async () => {
  const log: string[] = [];
  const refusal = new SignalboxError('unavailable', 'disk full');
  const slow: Consumer<SpanBatch> = {
    async consume() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push('slow finished');
      return ALL_ACCEPTED;
    },
  };
  await expect(reading(consumer(refusal), slow).consume(batch())).rejects.toBe(refusal);
  expect(log).toEqual(['slow finished']);
});

test('what one destination alone refuses is a warning as long as another accepts', async () => {
  const full = new SignalboxError('resource_exhausted', 'the queue of otlp/tempo is full', { isolated: true });
  const result = await reading(consumer(full), consumer({ rejected: 1, reason: 'too old' })).consume(batch());
  expect(result).toEqual({ rejected: 1, reason: 'too old; the queue of otlp/tempo is full' });
  await expect(reading(consumer(full), consumer(full)).consume(batch())).rejects.toBe(full);
  const broken = new SignalboxError('unavailable', 'disk full');
  await expect(reading(consumer(full), consumer(broken), consumer(ALL_ACCEPTED)).consume(batch())).rejects.toBe(broken);
});

/** Puts every span into kind 5, as soon as it is called. */
const changing: Consumer<SpanBatch> = {
  consume(changed) {
    changed.kind.fill(5, 0, changed.rowCount);
    return Promise.resolve(ALL_ACCEPTED);
  },
};

test('whoever changes batches gets a copy when others read them, and the batch itself when alone', async () => {
  const seen: number[] = [];
  const reader: Consumer<SpanBatch> = {
    async consume({ kind }) {
      await Promise.resolve();
      seen.push(kind[0] as number);
      return ALL_ACCEPTED;
    },
  };
  await fanOut([
    { consumer: changing, mutates: true },
    { consumer: reader, mutates: false },
  ]).consume(batch());
  await inTurn(withCopy(changing), reader).consume(batch());
  expect(seen).toEqual([0, 0]);
  const alone = batch();
  await fanOut([{ consumer: changing, mutates: true }]).consume(alone);
  expect(alone.kind[0]).toBe(5);
});

test('what stands in turn hears nothing of what was refused before it', async () => {
  const log: string[] = [];
  const then = consumer(ALL_ACCEPTED, log, 'then');
  await expect(inTurn(consumer(new SignalboxError('unavailable', 'no')), then).consume(batch())).rejects.toThrow('no');
  expect(log).toEqual([]);
  const result = await inTurn(consumer({ rejected: 1, reason: 'old' }), then).consume(batch());
  expect([result.rejected, log]).toEqual([1, ['then:GET /']]);
});
