import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusResponse } from '@signalbox/api-contract';

const binary = join(import.meta.dirname, '../../packages/server/bin/signalbox.cjs');

/** The real program, built, on free ports. */
export class Signalbox {
  readonly data: string;
  page = '';
  otlpHttp = '';
  /** From the start of the process until it said that it is ready. */
  readyMs = 0;
  #child: ChildProcess | undefined;

  constructor(data = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))) {
    this.data = data;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('Signalbox does not run');
    return pid;
  }

  async start(nodeFlags: string[] = []): Promise<this> {
    const startedAt = performance.now();
    const ports = ['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', '0'];
    const child = spawn(process.execPath, [...nodeFlags, binary, '--data', this.data, ...ports], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const output = await new Promise<string>((resolve, reject) => {
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          if (/ready in/.test(text)) resolve(text);
        });
      child.once('exit', () => reject(new Error(`Signalbox ended:\n${text}`)));
    });
    this.readyMs = performance.now() - startedAt;
    this.page = /page\s+(http:\S+)/.exec(output)?.[1] ?? '';
    this.otlpHttp = /OTLP\/HTTP\s+(http:\S+)/.exec(output)?.[1] ?? '';
    return this;
  }

  async api<Body>(
    path: string,
    parameters: Record<string, string | string[]> = {},
    signal?: AbortSignal,
  ): Promise<Body> {
    const url = new URL(`/api/signalbox/${path}`, this.page);
    for (const [name, value] of Object.entries(parameters))
      for (const item of [value].flat()) url.searchParams.append(name, item);
    const response = await fetch(url, signal === undefined ? {} : { signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${url.pathname}${url.search}: ${text}`);
    return JSON.parse(text) as Body;
  }

  async bytesPerRecord(signal: 'spans' | 'logs' | 'metrics'): Promise<number> {
    const { bytes, rows } = (await this.api<StatusResponse>('status')).store.signals[signal];
    return bytes / rows;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}
