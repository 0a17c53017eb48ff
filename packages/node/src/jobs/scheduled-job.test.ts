import { setTimeout as sleep } from 'node:timers/promises';
import cron from 'node-cron';
import { expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import { record } from '../testing/record.ts';
import { jobSurface } from './job-surface.ts';
import { scheduledJob } from './scheduled-job.ts';

const surfaces = [jobSurface.instrumentation, functionSurface.instrumentation];

test('node-cron runs a job: a trace of its own, though it was scheduled inside another', async () => {
  const arguments_: unknown[] = [];
  const sink = await record(surfaces, async () => {
    const clean = traced(() => {}, { name: 'delete sessions' });
    await traced(
      () =>
        new Promise<void>((resolve) => {
          const task = cron.schedule(
            '* * * * * *',
            scheduledJob('clean up', async (event) => {
              arguments_.push(event);
              await sleep(5);
              clean();
              await task.destroy();
              resolve();
            }),
          );
        }),
      { name: 'boot' },
    )();
    await sleep(10);
  });
  const [run] = sink.spans.filter(({ name }) => name === 'clean up');
  expect(run).toMatchObject({ kind: 1, parentSpanId: '', attributes: { 'job.name': 'clean up' }, status: { code: 0 } });
  expect(run?.traceId).not.toBe(sink.span('boot').traceId);
  expect(sink.span('delete sessions').parentSpanId).toBe(run?.spanId);
  expect(arguments_).toHaveLength(1);
  expect(sink.point('job_runs_total')).toMatchObject({
    value: 1,
    attributes: { job_name: 'clean up', result: 'completed' },
  });
  expect(sink.point('job_duration_seconds')).toMatchObject({ type: 'histogram', unit: 's', count: 1 });
  expect(sink.point('job_active')).toMatchObject({ monotonic: false, value: 0, attributes: { job_name: 'clean up' } });
});

test('a run that fails is counted as such, and its scheduler hears of it', async () => {
  const job = scheduledJob('broken', () => {
    throw new Error('out of disk');
  });
  const sink = await record(surfaces, () => expect(job).toThrow('out of disk'));
  expect(sink.span('broken').status).toEqual({ code: 2, message: 'out of disk' });
  expect(sink.point('job_runs_total').attributes).toEqual({ job_name: 'broken', result: 'error' });
  expect(sink.point('job_active').value).toBe(0);
});
