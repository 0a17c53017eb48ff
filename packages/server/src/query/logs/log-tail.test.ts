import type { LogRecord, Severity } from '@signalbox/api-contract';
import { decodeLogs } from '@signalbox/otlp';
import type { LogBatch } from '@signalbox/records';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL_ACCEPTED } from '../../pipeline/consumer.ts';
import { readFilters } from '../filter/read-filters.ts';
import { TestStore } from '../testing/test-store.ts';
import { readBodyWords } from './body-words.ts';
import type { LogConditions } from './log-search-request.ts';
import { LogTail, tailLogs } from './log-tail.ts';
import { searchLogs } from './search-logs.ts';

const base = 1_760_000_000_000_000_000n;

interface Line {
  body: string;
  severity?: number;
  service?: string;
  traceId?: string;
  attributes?: Record<string, string | bigint | number | boolean>;
  zone?: string;
}

const lines: Line[] = [
  { body: 'Connection refused', severity: 17, service: 'web', traceId: 'ab'.repeat(16), zone: 'b' },
  { body: 'connections: 3', severity: 9, service: 'web', attributes: { status: 503n, route: '/a/b', ok: true } },
  { body: 'slow', severity: 13, service: 'api', attributes: { status: '503', ratio: 0.5, zone: 'own' }, zone: 'b' },
  { body: 'größe [x]', severity: 0, service: '', attributes: { big: 9007199254740993n } },
];

/** The lines as a sender would have them (OTLP/JSON). */
function batch(of: readonly Line[]): LogBatch {
  const value = (v: string | bigint | number | boolean): object => {
    if (typeof v === 'string') return { stringValue: v };
    if (typeof v === 'bigint') return { intValue: String(v) };
    return typeof v === 'number' ? { doubleValue: v } : { boolValue: v };
  };
  const pairs = (attributes: Record<string, string | bigint | number | boolean>): object[] =>
    Object.entries(attributes).map(([key, v]) => ({ key, value: value(v) }));
  const request = {
    resourceLogs: of.map((line, index) => ({
      resource: {
        attributes: pairs({
          ...(line.service ? { 'service.name': line.service } : {}),
          ...(line.zone ? { zone: line.zone } : {}),
        }),
      },
      scopeLogs: [
        {
          scope: { name: 'lib', version: '1' },
          logRecords: [
            {
              timeUnixNano: String(base + BigInt(index)),
              severityNumber: line.severity ?? 9,
              body: { stringValue: line.body },
              ...(line.traceId ? { traceId: line.traceId } : {}),
              attributes: pairs(line.attributes ?? {}),
            },
          ],
        },
      ],
    })),
  };
  return decodeLogs(Buffer.from(JSON.stringify(request)), 'json').batch;
}

function conditions(part: {
  q?: string;
  filter?: string[];
  severity?: Severity[];
  service?: string;
  traceId?: string;
}): LogConditions {
  return {
    words: readBodyWords(part.q ?? ''),
    filters: readFilters(part.filter ?? []),
    severities: part.severity ?? [],
    service: part.service,
    traceId: part.traceId,
  };
}

async function watch(of: LogConditions, batches: readonly LogBatch[]): Promise<{ logs: LogRecord[]; dropped: number }> {
  const tail = new LogTail();
  const seen = { logs: [] as LogRecord[], dropped: 0 };
  const stop = tail.listen(of, {
    onLog: (record) => void seen.logs.push(record),
    onDropped: (count) => {
      seen.dropped += count;
    },
  });
  const stage = tailLogs({ consume: async () => ALL_ACCEPTED }, tail);
  for (const one of batches) await stage.consume(one);
  stop();
  await stage.consume(batch(lines));
  return seen;
}

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  await store.insertLogs(
    lines.map((line, index) => ({
      time: base + BigInt(index),
      body: line.body,
      severity: line.severity ?? 9,
      service: line.service ?? '',
      traceId: line.traceId ?? '',
      attributes: line.attributes ?? {},
      resource: {
        id: BigInt(index + 1),
        attributes: {
          ...(line.service ? { 'service.name': line.service } : {}),
          ...(line.zone ? { zone: line.zone } : {}),
        },
      },
    })),
  );
});

afterAll(() => store.close());

test.each<[Parameters<typeof conditions>[0], number[]]>([
  [{}, [0, 1, 2, 3]],
  [{ q: 'connection' }, [0]],
  [{ q: '-slow -größe' }, [0, 1]],
  [{ q: '[x]' }, [3]],
  [{ service: 'web' }, [0, 1]],
  [{ service: 'unknown_service' }, [3]],
  [{ severity: ['WARN', 'UNSPECIFIED'] }, [2, 3]],
  [{ traceId: 'ab'.repeat(16) }, [0]],
  [{ filter: ['status = 503'] }, [1]],
  [{ filter: ['status = "503"'] }, [2]],
  [{ filter: ['status != 503'] }, [2]],
  [{ filter: ['status =~ 5.3'] }, [1, 2]],
  [{ filter: ['route =~ "/a/\\w+"'] }, [1]],
  [{ filter: ['route !~ "/a"'] }, [1]],
  [{ filter: ['log:body =~ "Conn.*[Rr]efused"'] }, [0]],
  [{ filter: ['ratio < 0.6'] }, [2]],
  [{ filter: ['status > 502.5'] }, [1]],
  [{ filter: ['ok = true'] }, [1]],
  [{ filter: ['ok != false'] }, [1]],
  [{ filter: ['big = 9007199254740993'] }, [3]],
  [{ filter: ['big = 9007199254740992'] }, []],
  [{ filter: ['zone = b'] }, [0]],
  [{ filter: ['resource.zone = b'] }, [0, 2]],
  [{ filter: ['log.zone exists'] }, [2]],
  [{ filter: ['zone !exists'] }, [1, 3]],
  [{ filter: ['log:severity >= WARN'] }, [0, 2]],
  [{ filter: ['log:severity < WARN', 'log:severity > 0'] }, [1]],
  [{ filter: [`trace:id = ${'AB'.repeat(16)}`] }, [0]],
])('%j matches the same in the search and live', async (part, expected) => {
  const { logs } = await watch(conditions(part), [batch(lines)]);
  expect(logs.map((log) => Number(BigInt(log.timeUnixNano) - base))).toEqual(expected);
  const range = { from: base, to: base + 1_000n };
  const found = await searchLogs(store.context(), { ...conditions(part), range, limit: 10 });
  expect(found.logs.map((log) => Number(BigInt(log.timeUnixNano) - base)).reverse()).toEqual(expected);
});

test('a record is the same as in the search, but for its id', async () => {
  const { logs } = await watch(conditions({ service: 'api' }), [batch(lines)]);
  const [found] = (
    await searchLogs(store.context(), {
      ...conditions({ service: 'api' }),
      range: { from: base, to: base + 9n },
      limit: 1,
    })
  ).logs;
  const { id, scope, observedTimeUnixNano: _, ...live } = logs[0] as LogRecord;
  const { id: _id, scope: _scope, observedTimeUnixNano: _observed, ...stored } = found as LogRecord;
  expect(live).toEqual(stored);
  expect([typeof id, scope]).toEqual(['string', { name: 'lib', version: '1' }]);
});

test('of a huge batch a part is shown, and the rest counted', async () => {
  const many = Array.from({ length: 2_500 }, () => ({ body: 'x' }));
  const { logs, dropped } = await watch(conditions({}), [batch(many)]);
  expect([logs.length, dropped]).toEqual([2_000, 500]);
  expect(new Set(logs.map((log) => log.id)).size).toBe(2_000);
});

test('an expression that would take for ever is refused or quick', async () => {
  const started = performance.now();
  await watch(conditions({ filter: ['log:body =~ "(a+)+b"'] }), [batch([{ body: 'a'.repeat(20_000) }])]);
  expect(performance.now() - started).toBeLessThan(2_000);
  for (const pattern of ['\\pL', '(?P<n>a)', '(?=a)', '(?i)a', '\\1(a)']) {
    expect(() =>
      new LogTail().listen(conditions({ filter: [`a =~ ${pattern}`] }), { onLog() {}, onDropped() {} }),
    ).toThrow(expect.objectContaining({ parameter: 'filter' }));
  }
});
