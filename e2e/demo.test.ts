import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServicesResponse } from '@signalbox/api-contract';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../tooling/debian-packages.mjs';
import { withoutPrograms } from '../tooling/hidden-programs.ts';
import { Child } from './child-process.ts';
import { eventually } from './signalbox-process.ts';

const demo = fileURLToPath(new URL('../examples/demo.mjs', import.meta.url));
const anyPorts = ['port', 'otlp-http-port', 'otlp-grpc-port', 'chimney-port', 'storefront-port'].flatMap((name) => [
  `--${name}`,
  '0',
]);

const EVERYBODY = ['chimney', 'storefront', 'wippy', 'webserver', 'agentstack-api', 'agentstack-worker'];

/** Processes whose environment has the mark that a demonstration and all that it started were given. */
function marked(mark: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`DEMO_MARK=${mark}`);
      } catch {
        // It ended in the meantime.
        return false;
      }
    });
}

interface Variant {
  readonly title: string;
  readonly command: readonly string[] | null;
  readonly redis: boolean;
}

const plain = [process.execPath, demo, ...anyPorts];
const variants: readonly Variant[] = [
  { title: 'without Redis', command: withoutPrograms(['redis-server', 'apt-get'], plain), redis: false },
  { title: 'with Redis', command: findProgram('redis-server') === null ? null : plain, redis: true },
];

describe.each(variants)('the demonstration $title', ({ title, command, redis }) => {
  test.skipIf(command === null)('shows a trace of traffic, says what it has, and leaves nothing behind', async () => {
    const mark = `${title}-${process.pid}`.replaceAll(' ', '-');
    const [program = '', ...args] = command ?? [];
    const child = new Child(program, args, { DEMO_MARK: mark });
    try {
      await child.waitFor(/Ctrl-C stops everything\./);
      if (redis) expect(child.output).toMatch(/Redis\s+redis:\/\/127\.0\.0\.1:\d+/);
      else {
        expect(child.output).toContain('redis-server is not installed: chimney runs on its memory tier.');
        expect(child.output).toMatch(/Redis\s+not there: memory tier only/);
      }
      const [, page = ''] = await child.waitFor(/Look here\s+(http:\S+)/);
      const [, chimney = ''] = await child.waitFor(/Chimney\s+(http:\S+)\/api\/github\/pulls/);
      expect((await fetch(`${chimney}/api/github/pulls`)).status).toBe(200);
      await eventually(async () => {
        const { services } = (await (await fetch(`${page}/api/signalbox/services`)).json()) as ServicesResponse;
        const names = new Set(services.map(({ name }) => name));
        return EVERYBODY.every((name) => names.has(name)) ? names : undefined;
      }, 40_000);
      expect(marked(mark).length).toBeGreaterThan(3);
    } finally {
      await child.stop('SIGINT');
    }
    expect(child.process.exitCode).toBe(0);
    await eventually(async () => (marked(mark).length === 0 ? true : undefined));
  });
});
