import { setImmediate as turn } from 'node:timers/promises';
import { context, propagation } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { record } from '../testing/record.ts';
import { functionSurface } from './function-surface.ts';
import { inBackground } from './in-background.ts';
import { traced } from './traced.ts';

test('work for later stays in the trace that it was given in, whoever does it', async () => {
  const queue: (() => unknown)[] = [];
  const baggage: unknown[] = [];
  const sink = await record([functionSurface.instrumentation], async () => {
    const request = traced(
      (user: string) => {
        const entries = propagation.createBaggage({ user: { value: user } });
        context.with(propagation.setBaggage(context.active(), entries), () =>
          queue.push(
            inBackground('resize image', async () => {
              await turn();
              baggage.push(propagation.getActiveBaggage()?.getEntry('user')?.value);
              traced(() => {}, { name: `store ${user}` })();
              if (user === 'b') throw new Error('no such image');
            }),
          ),
        );
      },
      { name: 'request' },
    );
    request('a');
    request('b');
    // By somebody else, after the requests are over.
    const worker = traced(() => Promise.allSettled(queue.map((job) => job())), { name: 'worker' });
    expect((await worker()).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
  const requests = sink.spans.filter(({ name }) => name === 'request');
  const jobs = sink.spans.filter(({ name }) => name === 'resize image');
  expect(jobs.map(({ parentSpanId }) => parentSpanId)).toEqual(requests.map(({ spanId }) => spanId));
  expect(jobs.map(({ kind, status }) => [kind, status.code])).toEqual([
    [1, 0],
    [1, 2],
  ]);
  expect(['store a', 'store b'].map((name) => sink.span(name).parentSpanId)).toEqual(jobs.map(({ spanId }) => spanId));
  expect(baggage).toEqual(['a', 'b']);
  expect(sink.point('function_calls', { function_id: 'resize image', status: 'error' }).value).toBe(1);
});
