import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeLogs } from '@signalbox/otlp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { logsOf } from '../../pipeline/testing/record-sink.ts';
import { fileExporterFactory } from './file-exporter.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function startFile(yaml: string, now = () => 0) {
  const settings = settingsOf(yaml);
  const blueprint = fileExporterFactory.configure(settings);
  settings.finish();
  const exporter = blueprint.create(testContext({ now }));
  await exporter.start();
  const send = async (...lines: string[]) => {
    const logRecords = lines.map((line) => ({ timeUnixNano: '7', body: { stringValue: line } }));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
    await exporter.consumers.logs?.consume(logsOf({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }));
  };
  return { exporter, send };
}

const linesOf = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
const bodies = (line: string) => Array.from(line.matchAll(/"stringValue":"(hello[^"]*)"/g), ([, body]) => body);

test('each batch is a line of OTLP/JSON, on disk when it is accepted', async () => {
  const { exporter, send } = await startFile(`{path: ${join(folder, 'new/all.jsonl')}, create_directory: true}`);
  await send('hello 1\nsecond line', 'hello 2');
  await Promise.all([send('hello 3'), send('hello 4')]);
  const lines = linesOf('new/all.jsonl');
  expect(lines.map(bodies)).toEqual([['hello 1\\nsecond line', 'hello 2'], ['hello 3'], ['hello 4']]);
  expect(JSON.parse(lines[0] ?? '').resourceLogs[0].resource.attributes[0].value.stringValue).toBe('shop');
  await exporter.shutdown(1_000);
  await expect(send('late')).rejects.toThrow("can't be written");
});

test('protobuf stands after its length', async () => {
  const { exporter, send } = await startFile(`{path: ${join(folder, 'all.bin')}, format: proto}`);
  await send('hello 1');
  await send('hello 2', 'hello 3');
  await exporter.shutdown(1_000);
  const bytes = readFileSync(join(folder, 'all.bin'));
  const counts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    counts.push(decodeLogs(new Uint8Array(bytes.subarray(at + 4, at + 4 + length)), 'protobuf').batch.rowCount);
    at += 4 + length;
  }
  expect(counts).toEqual([1, 2]);
});

test('what was there goes, or stays with append', async () => {
  writeFileSync(join(folder, 'a'), 'before\n');
  writeFileSync(join(folder, 'b'), 'before\n');
  for (const [name, append] of [
    ['a', false],
    ['b', true],
  ] as const) {
    const { exporter, send } = await startFile(`{path: ${join(folder, name)}, append: ${append}}`);
    await send('hello');
    await exporter.shutdown(1_000);
  }
  expect(linesOf('a')).toHaveLength(1);
  expect(linesOf('b')).toHaveLength(2);
});

test('a file that would grow too large is put aside, and so many are kept', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { exporter, send } = await startFile(
    `{path: ${join(folder, 'all.jsonl')}, rotation: {max_megabytes: 1, max_backups: 2}}`,
    () => now,
  );
  writeFileSync(join(folder, 'all-notes.jsonl'), 'not ours');
  for (let i = 0; i < 5; i++) {
    await send(`hello ${i}`, 'x'.repeat(600_000));
    now += 1_000;
  }
  await exporter.shutdown(1_000);
  expect(readdirSync(folder).sort()).toEqual([
    'all-2026-01-01T00-00-03.000.jsonl',
    'all-2026-01-01T00-00-04.000.jsonl',
    'all-notes.jsonl',
    'all.jsonl',
  ]);
  expect(linesOf('all.jsonl').flatMap(bodies)).toEqual(['hello 4']);
});

test('a path that can not be written, and settings that make no sense, are errors', async () => {
  await expect(startFile(`{path: ${join(folder, 'none/all.jsonl')}}`)).rejects.toThrow("can't be written");
  await expect(startFile(`{path: /tmp/x, append: true, rotation: {}}`)).rejects.toThrow('together with rotation');
  await expect(startFile(`{path: /tmp/x, compression: zstd}`)).rejects.toThrow('compression');
});
