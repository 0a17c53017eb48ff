import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OtlpSink } from '../testing/otlp-sink.ts';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import { Spool } from './spool.ts';

let sink: OtlpSink;
let folder: string;
let warnings: RecordedWarnings;
let spool: Spool;
let destination: OtlpDestination;

beforeEach(async () => {
  sink = await new OtlpSink().listen();
  folder = join(fs.mkdtempSync(join(tmpdir(), 'signalbox-spool-')), 'spool');
  warnings = new RecordedWarnings();
  spool = new Spool({ folder, maxBytes: 100_000 }, warnings);
  destination = {
    signal: 'TRACES',
    url: `${sink.url}/v1/traces`,
    protocol: 'http/protobuf',
    headers: { authorization: 'topsecret' },
    compression: 'gzip',
    timeoutMillis: 5000,
  };
});
afterEach(async () => {
  spool.close();
  fs.rmSync(join(folder, '..'), { recursive: true, force: true });
  await sink.close();
});

function keep(name: string, into = spool): boolean {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  const provider = new TracerProvider({ resource: resourceFromAttributes({}), spanProcessors });
  provider.getTracer('test').startSpan(name).end();
  const body = ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans());
  if (body === undefined) throw new Error('nothing to keep');
  return into.keep({ destination, body, records: 1 });
}

const names = () => sink.spans.map(({ name }) => name);
const files = () => fs.readdirSync(folder);

test('what is kept is whole, in order, readable by nobody else, and has no secrets', async () => {
  expect([keep('a'), keep('b'), keep('c')]).toEqual([true, true, true]);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  for (const file of files()) {
    expect(fs.statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(join(folder, file), 'latin1')).not.toMatch(/topsecret|127\.0\.0\.1/);
  }
  await spool.resend([destination]);
  expect(names()).toEqual(['a', 'b', 'c']);
  expect(sink.requests[0]?.headers).toMatchObject({ authorization: 'topsecret', 'content-encoding': 'gzip' });
  expect(files()).toEqual([]);
  expect(warnings.said.at(-1)).toBe(`3 requests of earlier processes were sent from ${folder}`);
});

test('no more is kept than it may hold', () => {
  const small = new Spool({ folder, maxBytes: 500 }, warnings);
  const kept = Array.from({ length: 10 }, (_, index) => keep(`span ${index}`, small)).filter(Boolean).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(10);
  const bytes = files().reduce((sum, file) => sum + fs.statSync(join(folder, file)).size, 0);
  expect(bytes).toBeLessThanOrEqual(500);
  expect(warnings.said.filter((line) => line.includes('is full (500 bytes)'))).toHaveLength(1);
});

test('of several processes each request is sent by one', async () => {
  const expected = Array.from({ length: 40 }, (_, index) => `span ${String(index).padStart(2, '0')}`);
  for (const name of expected) keep(name);
  const others = Array.from({ length: 3 }, () => new Spool({ folder, maxBytes: 100_000 }, warnings));
  await Promise.all([spool, ...others].map((each) => each.resend([destination])));
  expect(names().sort()).toEqual(expected);
  expect(files()).toEqual([]);
});

test('damaged files are deleted with one warning, and the others are sent', async () => {
  for (const name of ['a', 'b', 'c', 'd']) keep(name);
  const [first = '', second = '', third = ''] = files().sort();
  fs.truncateSync(join(folder, first), 150);
  fs.writeFileSync(join(folder, second), 'nonsense');
  const bytes = fs.readFileSync(join(folder, third));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  fs.writeFileSync(join(folder, third), bytes);
  fs.mkdirSync(join(folder, 'folder.otlp'));
  await spool.resend([destination]);
  expect(names()).toEqual(['d']);
  expect(files()).toEqual(['folder.otlp']);
  expect(warnings.said.filter((line) => line.startsWith('damaged files'))).toHaveLength(1);
});

test('while nobody takes it everything waits, and is sent when somebody does', async () => {
  keep('a');
  const before = files();
  sink.answer = (_request, response) => void response.writeHead(503).end();
  await spool.resend([destination]);
  expect(files()).toEqual(before);
  sink.answer = (_request, response, decode) => {
    decode();
    response.end();
  };
  await spool.resend([destination]);
  expect(names()).toEqual(['a']);
});

test('what is refused for good is dropped, and said', async () => {
  keep('a');
  sink.answer = (_request, response) => void response.writeHead(400).end();
  await spool.resend([destination]);
  expect(files()).toEqual([]);
  expect(warnings.said.at(-1)).toMatch(/is refused and dropped: it answered 400/);
});

test('what is being sent when the process ends is given back', async () => {
  keep('a');
  const before = files();
  const asked = new Promise<void>((resolve) => {
    sink.answer = () => resolve();
  });
  const sending = spool.resend([destination]);
  await asked;
  expect(files()).toEqual([expect.stringMatching(/\.sending$/)]);
  spool.close();
  expect(files()).toEqual(before);
  await sink.close();
  await sending;
  expect(files()).toEqual(before);
});

test('a claim is left alone until it is so old that its process must have died', async () => {
  keep('a');
  const [name = ''] = files();
  const claim = join(folder, `${name}.1.sending`);
  fs.renameSync(join(folder, name), claim);
  await spool.resend([destination]);
  expect(names()).toEqual([]);
  const longAgo = new Date(Date.now() - 3_600_000);
  fs.utimesSync(claim, longAgo, longAgo);
  await spool.resend([destination]);
  expect(names()).toEqual(['a']);
});

test('a signal that is off keeps its requests on disk', async () => {
  keep('a');
  await spool.resend([{ ...destination, signal: 'LOGS' }]);
  expect(sink.requests).toEqual([]);
  expect(files()).toHaveLength(1);
});

test('a folder into which others may write is not used', async () => {
  fs.mkdirSync(folder, { recursive: true });
  fs.chmodSync(folder, 0o777);
  expect(keep('a')).toBe(false);
  expect(files()).toEqual([]);
  expect(warnings.said).toEqual([expect.stringMatching(/cannot write to the spool .*chmod 700/)]);
});
