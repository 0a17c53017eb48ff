import { parseLogql } from '@signalbox/query-language';
import { describe, expect, test } from 'vitest';
import { MemoryLogs } from '../logql/memory-logs.ts';
import { StreamLabels } from '../logql/stream-labels.ts';
import { type DetectedField, detectFields } from './detect-fields.ts';

type Line = string | { readonly line: string; readonly metadata: readonly (readonly [string, string])[] };

/** What is found in lines; the last one is the newest, and looked at first. */
async function fieldsOf(query: string, ...lines: readonly Line[]): Promise<Map<string, DetectedField>> {
  const logs = new MemoryLogs();
  const stream = new StreamLabels(new Map([['app', 'shop']]));
  for (const [index, each] of lines.entries()) {
    const { line, metadata } = typeof each === 'string' ? { line: each, metadata: [] } : each;
    logs.add({ stream, time: BigInt(index + 1), line, metadata });
  }
  const expr = parseLogql(query);
  if (expr.kind !== 'log') throw new Error(expr.kind);
  const range = { fromNs: 0n, toNs: 1_000n };
  const found = await detectFields(logs, expr, range, 100, new AbortController().signal);
  return new Map(found.map((field) => [field.label, field]));
}

const parsersOf = (field: DetectedField | undefined) => [...(field?.parsers ?? ['none'])];
const valuesOf = (field: DetectedField | undefined) => [...(field?.values ?? [])];

describe('lines', () => {
  test('are read as JSON, or else as logfmt', async () => {
    const fields = await fieldsOf('{app="shop"}', 'took=3ms', '{"took":"4ms"}', '{took=5ms', 'only words');
    expect(valuesOf(fields.get('took'))).toEqual(['4ms', '3ms']);
    expect(parsersOf(fields.get('took'))).toEqual(['json', 'logfmt']);
    expect(valuesOf(fields.get('_took'))).toEqual(['5ms']);
    expect(fields.size).toBe(2);
  });

  test('of JSON say where in it a field is', async () => {
    const fields = await fieldsOf(
      '{app="shop"}',
      '{"user":{"id":7,"home town":{"a-b":"x"}},"app":"y","list":[1]}',
      'z=1',
    );
    expect(fields.get('user_id')?.jsonPath).toEqual(['user', 'id']);
    expect(fields.get('user_home_town_a_b')?.jsonPath).toEqual(['user', 'home town', 'a-b']);
    expect(fields.get('app_extracted')?.jsonPath).toEqual(['app']);
    expect(fields.get('z')).toMatchObject({ jsonPath: undefined });
    expect(fields.has('list')).toBe(false);
  });

  test('have what a query finds in them besides, and a field of the metadata is the same as one in the line', async () => {
    const line = { line: 'level=info took=3ms', metadata: [['level', 'warn'] as const] };
    const fields = await fieldsOf('{app="shop"} | regexp "took=(?P<number>[0-9]+)"', line);
    expect(valuesOf(fields.get('number'))).toEqual(['3']);
    expect(parsersOf(fields.get('number'))).toEqual(['logfmt']);
    expect(valuesOf(fields.get('level'))).toEqual(['warn', 'info']);
    expect(parsersOf(fields.get('level'))).toEqual(['logfmt']);
    expect(fields.has('level_extracted')).toBe(false);
  });

  test('are what the query makes of them', async () => {
    const fields = await fieldsOf('{app="shop"} | json | line_format "b={{.a}}"', '{"a":"1"}');
    expect(parsersOf(fields.get('a'))).toEqual(['logfmt']);
    expect(valuesOf(fields.get('b'))).toEqual(['1']);
  });
});

test.each([
  ['7', 'int'],
  ['-7', 'int'],
  ['99999999999999999999', 'float'],
  ['1e3', 'float'],
  ['True', 'boolean'],
  ['f', 'boolean'],
  ['1h5m', 'duration'],
  ['5KiB', 'bytes'],
  ['5 m', 'bytes'],
  ['five', 'string'],
])('%s is a %s', async (value, type) => {
  expect((await fieldsOf('{app="shop"}', `v="${value}"`)).get('v')?.type).toBe(type);
});
