import { expect, test } from 'vitest';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from './consumer.ts';
import { fanOut } from './fan-out.ts';
import { SignalboxError } from './signalbox-error.ts';

function consumer(outcome: ConsumeResult | Error, log: string[] = [], name = ''): Consumer<string> {
  return {
    async consume(batch) {
      await Promise.resolve();
      log.push(`${name}:${batch}`);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
}

test('every consumer gets the batch, and their results add up', async () => {
  const log: string[] = [];
  const both = fanOut(consumer(ALL_ACCEPTED, log, 'a'), consumer({ rejected: 2, reason: 'too old' }, log, 'b'));
  expect(await both.consume('batch')).toEqual({ rejected: 2, reason: 'too old' });
  expect(log).toEqual(['a:batch', 'b:batch']);
});

test('a refusal is thrown only after the others have finished with the batch', async () => {
  const log: string[] = [];
  const refusal = new SignalboxError('unavailable', 'disk full');
  const slow: Consumer<string> = {
    async consume() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push('slow finished');
      return ALL_ACCEPTED;
    },
  };
  await expect(fanOut(consumer(refusal), slow).consume('batch')).rejects.toBe(refusal);
  expect(log).toEqual(['slow finished']);
});
