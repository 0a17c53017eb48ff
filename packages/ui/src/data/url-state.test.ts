import { describe, expect, test } from 'vitest';
import { absoluteRange, describeRange, parseInstant, resolveRange } from './time-range.ts';
import {
  findTraceId,
  parseLogsSearch,
  parseMetricsSearch,
  parseSearch,
  parseTraceSearch,
  parseTracesSearch,
  parseZoom,
  printSearch,
  printZoom,
} from './url-state.ts';

describe('the search part of an address', () => {
  test('comes back as it was', () => {
    const search = parseTracesSearch({
      service: 'shop & co',
      filter: ['http.route = "/a?b=c&d"', 'user.id != "1"'],
      min: '250ms',
      status: 'ERROR',
      rootOnly: 'true',
    });
    expect(parseTracesSearch(parseSearch(printSearch(search)))).toEqual(search);
  });

  test('of logs and metrics too', () => {
    const logs = parseLogsSearch({
      q: '"a phrase" -not',
      severity: ['ERROR', 'WARN'],
      traceId: '0AF7651916CD43DD8448EB211C80319C',
      live: 'true',
    });
    expect(logs.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(parseLogsSearch(parseSearch(printSearch(logs)))).toEqual(logs);
    const metrics = parseMetricsSearch({
      name: 'http.server.request.duration',
      function: 'p99',
      by: ['route', 'service.name'],
    });
    expect(parseMetricsSearch(parseSearch(printSearch(metrics)))).toEqual(metrics);
  });

  test('says only what was chosen', () => {
    expect(printSearch({ service: undefined, filter: [], q: '' })).toBe('');
    expect(printSearch({ service: 'a', filter: ['x = 1'] })).toBe('?service=a&filter=x+%3D+1');
  });

  test('a number stays text', () => {
    expect(parseSearch('?q=500&service=true')).toEqual({ q: '500', service: 'true' });
  });

  test('nonsense is left out, not believed', () => {
    expect(parseTracesSearch({ status: 'BROKEN', kind: 7, limit: '99999', min: ['1s', '2s'] })).toMatchObject({
      status: undefined,
      kind: undefined,
      limit: undefined,
      min: '1s',
    });
    expect(parseLogsSearch({ severity: ['LOUD'], traceId: 'xyz', spanId: '12' })).toMatchObject({
      severity: undefined,
      traceId: undefined,
      spanId: undefined,
    });
    expect(parseTraceSearch({ span: '<script>', tab: 'nothing', zoom: '9-1' })).toMatchObject({
      span: undefined,
      tab: undefined,
    });
    expect(parseSearch('?__proto__=1&__proto__=2&constructor=x')).toMatchObject({ constructor: 'x' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('a zoomed part of a trace', () => {
    expect(parseZoom('12.5-80')).toEqual({ startMs: 12.5, endMs: 80 });
    for (const wrong of [undefined, '', '80-12', 'a-b', '-1-2']) expect(parseZoom(wrong)).toBeNull();
    const printed = parseZoom(printZoom(0.001234, 0.001299));
    expect(printed?.startMs).toBeCloseTo(0.001234, 5);
  });
});

describe('findTraceId', () => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  test.each([
    [id],
    [` ${id.toUpperCase()} `],
    [`00-${id}-b7ad6b7169203331-01`],
    [`http://localhost:4319/traces/${id}?span=1`],
    [`trace_id="${id}"`],
  ])('%s', (text) => expect(findTraceId(text)).toBe(id));
  test.each([[''], ['0'.repeat(32)], [`${id}0`], ['hello world'], [id.slice(1)]])('not in %s', (text) =>
    expect(findTraceId(text)).toBeNull(),
  );
});

describe('time ranges', () => {
  const now = Date.UTC(2026, 10, 21, 9, 0, 0);
  test('are relative, absolute or written out', () => {
    expect(resolveRange({ from: 'now-15m', to: 'now' }, now)).toEqual({ startMs: now - 900e3, endMs: now });
    expect(resolveRange({ from: '1764000000000', to: '1764000060000' }, now)).toEqual({
      startMs: 1_764_000_000_000,
      endMs: 1_764_000_060_000,
    });
    expect(parseInstant('2026-11-21T09:00:00Z', 0)).toBe(now);
    expect(parseInstant('now-2y', now)).toBeNull();
    expect(describeRange({ from: 'now-1h', to: 'now' }, now)).toBe('Last hour');
    expect(describeRange({ from: 'now-15m', to: 'now' }, now)).toBe('Last 15 minutes');
  });
  test('a backwards one is the default instead', () => {
    expect(resolveRange({ from: 'now', to: 'now-1h' }, now)).toEqual({ startMs: now - 3600e3, endMs: now });
  });
  test('a zoomed one is never empty', () => {
    expect(absoluteRange(5000.2, 5000.3)).toEqual({ from: '5000', to: '5001' });
  });
});
