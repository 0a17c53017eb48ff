import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TraceResponse } from '@signalbox/api-contract';
import { expect, test } from 'vitest';
import { hex, logsRequest, post, tracesRequest } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

test('a full disk: senders are asked to come again, reading goes on, and it is over when there is room', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    rmSync(folder, { recursive: true, force: true });
    context.skip('a small tmpfs can be mounted by root only');
  }
  const filler = join(folder, 'filler');
  const signalbox = new SignalboxProcess(join(folder, 'data'));
  try {
    mkdirSync(signalbox.data);
    await signalbox.start();
    const { otlpHttp } = signalbox;
    const traceId = hex(16);
    expect((await post(otlpHttp, 'traces', tracesRequest({ service: 'before', traceId, spans: 3 }))).status).toBe(200);

    expect(() => {
      for (const size of [1 << 20, 1 << 12]) for (;;) appendFileSync(filler, Buffer.alloc(size));
    }).toThrow(/ENOSPC/);
    const line = 'what does not fit '.repeat(50);
    const response = await fetch(`${otlpHttp}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(
        logsRequest(
          'during',
          Array.from({ length: 2000 }, (_, index) => `${index} ${line}${hex(40)}`),
        ),
      ),
    });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(/disk/i) });
    expect((await signalbox.api<TraceResponse>(`traces/${traceId}`)).spans).toHaveLength(3);

    rmSync(filler);
    const after = hex(16);
    expect((await post(otlpHttp, 'traces', tracesRequest({ service: 'after', traceId: after }))).status).toBe(200);
    expect((await signalbox.api<TraceResponse>(`traces/${after}`)).spans).toHaveLength(1);
  } finally {
    await signalbox.child?.stop('SIGKILL');
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});
