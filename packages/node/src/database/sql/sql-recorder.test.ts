import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, expect, test, vi } from 'vitest';
import { handleOf, type Instrumentation } from '../../instrumentation.ts';
import type { StartOptions } from '../../options.ts';
import { record } from '../../testing/record.ts';
import { postgresDialect } from './dialects.ts';
import { StatementCache } from './read-statement.ts';
import { SqlRecorder } from './sql-recorder.ts';

afterEach(() => void vi.restoreAllMocks());

/** How often a statement is read that is executed once, under a parent with these flags. */
async function workOf(traceFlags: number, options: StartOptions = {}): Promise<{ reads: number; spans: string[] }> {
  const read = vi.spyOn(StatementCache.prototype, 'get').mockClear();
  let recorder: SqlRecorder | undefined;
  const instrumentation: Instrumentation = {
    name: 'sql-stand-in',
    enable(given) {
      recorder = new SqlRecorder(given, postgresDialect);
      return handleOf();
    },
  };
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags, isRemote: true };
  const sink = await record(
    [instrumentation],
    () =>
      context.with(trace.setSpanContext(ROOT_CONTEXT, parent), () => {
        const operation = recorder?.begin({ system: 'postgresql' }, 'SELECT * FROM users');
        operation?.end({ rows: 1 });
      }),
    options,
  );
  return { reads: read.mock.calls.length, spans: sink.spans.map(({ name }) => name) };
}

test('no statement is read where neither a span nor a metric needs it', async () => {
  expect(await workOf(0, { metrics: false })).toEqual({ reads: 0, spans: [] });
  expect(await workOf(0, { switches: { 'sql-stand-in': { metrics: false } } })).toEqual({ reads: 0, spans: [] });
});

test('a span or a metric has it read, once', async () => {
  expect(await workOf(1, { metrics: false })).toEqual({ reads: 1, spans: ['SELECT users'] });
  expect(await workOf(0)).toEqual({ reads: 1, spans: [] });
  expect(await workOf(1)).toEqual({ reads: 1, spans: ['SELECT users'] });
});

test('samplers that decide by names are told the name, and errors of unsampled traces are kept with it', async () => {
  const rules = [{ name: 'SELECT users', ratio: 1 }];
  const byName = await workOf(0, { metrics: false, sampling: { rules, ratio: 0, followParent: false } });
  expect(byName).toEqual({ reads: 1, spans: ['SELECT users'] });
  const slow = await workOf(0, { metrics: false, sampling: { keepSlowerThanMillis: 0 } });
  expect(slow).toEqual({ reads: 1, spans: ['SELECT users'] });
});
