import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child-process.ts';

export const binary = fileURLToPath(new URL('../packages/server/bin/signalbox.cjs', import.meta.url));

/** The real program on ports of the system's choosing, over a folder that outlives it (kill it, start it again). */
export class SignalboxProcess {
  readonly data: string;
  /** Undefined before `start`. */
  child!: Child;
  page = '';
  otlpHttp = '';
  otlpGrpc = '';

  constructor(data = mkdtempSync(join(tmpdir(), 'signalbox-e2e-'))) {
    this.data = data;
  }

  async start(...flags: string[]): Promise<this> {
    this.child = new Child(process.execPath, [
      binary,
      ...['--data', this.data, '--port', '0'],
      // A configuration file's receivers say for themselves where they listen.
      ...(flags.includes('--config') ? [] : ['--otlp-http-port', '0', '--otlp-grpc-port', '0']),
      ...flags,
    ]);
    await this.child.waitFor(/ready in/);
    this.page = (await this.child.waitFor(/page\s+(http:\S+)/))[1] ?? '';
    this.otlpHttp = (await this.child.waitFor(/OTLP\/HTTP\s+(http:\S+)/))[1] ?? '';
    this.otlpGrpc = `http://${(await this.child.waitFor(/OTLP\/gRPC\s+(?:http:\/\/)?(\S+)/))[1] ?? ''}`;
    return this;
  }

  /** An answer of the page's API; throws with the server's own words when the status is not 2xx. */
  async api<Body>(path: string, parameters: Record<string, string | string[]> = {}): Promise<Body> {
    const url = new URL(`/api/signalbox/${path}`, this.page);
    for (const [name, value] of Object.entries(parameters)) {
      for (const item of [value].flat()) url.searchParams.append(name, item);
    }
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${url.pathname}: ${await response.text()}`);
    return (await response.json()) as Body;
  }

  async dispose(): Promise<void> {
    await (this.child as Child | undefined)?.stop('SIGKILL');
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Asks again until `probe` gives something, because records appear a moment after they were sent. */
export async function eventually<Value>(probe: () => Promise<Value | undefined>, timeoutMs = 10_000): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`Nothing within ${timeoutMs} ms: ${probe}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
