import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TraceResponse } from '@signalbox/api-contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { hex, post, tracesRequest } from './otlp-json.ts';
import { binary, eventually, SignalboxProcess } from './signalbox-process.ts';

let folder: string;
let signalbox: SignalboxProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-backup-'));
  signalbox = await new SignalboxProcess().start();
});
afterEach(async () => {
  await signalbox.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = new Child(process.execPath, [binary, ...args]);
  await eventually(async () => (child.exited ? true : undefined), 60_000);
  return { code: child.process.exitCode, output: child.output };
}

test('a backup of a running store, restored to a fresh folder, shows the same trace', async () => {
  const traceId = hex(16);
  await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'kept', traceId, spans: 7 }));
  const copy = join(folder, 'copy');
  expect(await run('backup', copy, '--data', signalbox.data)).toMatchObject({ code: 0 });
  expect(existsSync(copy)).toBe(true);
  const original = await signalbox.api<TraceResponse>(`traces/${traceId}`);

  const restored = new SignalboxProcess(join(folder, 'restored'));
  expect(await run('restore', copy, '--data', restored.data)).toMatchObject({ code: 0 });
  await restored.start();
  expect(await restored.api<TraceResponse>(`traces/${traceId}`)).toEqual(original);
  await restored.dispose();
});

test('a backup of a stopped store', async () => {
  const traceId = hex(16);
  await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'kept', traceId }));
  await signalbox.child.stop();
  const copy = join(folder, 'copy');
  expect(await run('backup', copy, '--data', signalbox.data)).toMatchObject({ code: 0 });
  expect(existsSync(copy)).toBe(true);
});

test('says what is wrong: a target that exists, a missing backup, a store that is not empty', async () => {
  const copy = join(folder, 'copy');
  await run('backup', copy, '--data', signalbox.data);
  const again = await run('backup', copy, '--data', signalbox.data);
  expect(again.code).toBe(1);
  expect(again.output).not.toMatch(/at .*\(|Unexpected/);
  const missing = await run('restore', join(folder, 'nowhere'), '--data', join(folder, 'fresh'));
  expect(missing).toMatchObject({ code: 1, output: expect.stringMatching(/no backup there/) });
  const notEmpty = await run('restore', copy, '--data', signalbox.data);
  expect(notEmpty.code).toBe(1);
});

test('a web page or another user can not have a file written', async () => {
  const target = join(folder, 'stolen');
  const ask = (headers: Record<string, string>) =>
    fetch(`${signalbox.page}/-/backup`, { method: 'POST', headers, body: JSON.stringify({ to: target }) });
  expect((await ask({})).status).toBe(403);
  expect((await ask({ 'x-signalbox-token': '0'.repeat(64) })).status).toBe(403);
  expect(existsSync(target)).toBe(false);
  const { token } = JSON.parse(readFileSync(join(signalbox.data, 'signalbox.json'), 'utf8')) as { token: string };
  expect((await ask({ 'x-signalbox-token': token })).status).toBe(200);
  expect(existsSync(target)).toBe(true);
});
