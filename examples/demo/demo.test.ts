// The demonstration as a person runs it: everything comes up, and nothing is left when it ends, however it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../demo.mjs', import.meta.url));
const anyPorts = ['port', 'otlp-http-port', 'otlp-grpc-port', 'chimney-port', 'storefront-port'].flatMap((name) => [
  `--${name}`,
  '0',
]);
const canLookIntoProcesses = existsSync('/proc/self/environ');

let folder: string;
let child: ChildProcess | null = null;
let output: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
  output = '';
});

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** TMPDIR marks all that belongs to this run: its folders, and every process that was started in it. */
function run(...args: string[]): Promise<number | null> {
  child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  return once(child, 'close').then(([code]) => code as number | null);
}

async function ready(): Promise<{ page: string; traceId: string }> {
  await expect.poll(() => output, { timeout: 60_000 }).toContain('Ctrl-C stops everything');
  const [, page = '', traceId = ''] = /A trace\s+(http:\S+)\/traces\/([0-9a-f]{32})/.exec(output) ?? [];
  return { page, traceId };
}

/** The programs that run with our TMPDIR in their environment. */
function leftProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TMPDIR=${folder}`);
        return isOurs ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
      } catch {
        return []; // it has ended meanwhile, or is somebody else's
      }
    });
}

function expectNothingLeft(): void {
  expect(readdirSync(folder)).toEqual([]);
  if (canLookIntoProcesses) expect(leftProcesses()).toEqual([]);
}

describe('the demonstration', () => {
  test('shows both services and the sample trace; Ctrl-C leaves nothing', { timeout: 120_000 }, async () => {
    const ended = run(...anyPorts);
    const { page, traceId } = await ready();
    const shown = async () => await (await fetch(`${page}/api/signalbox/traces/${traceId}`)).text();
    await expect.poll(shown, { timeout: 20_000 }).toMatch(/^(?=.*storefront)(?=.*chimney\.github_fetch)/s);
    if (canLookIntoProcesses) expect(leftProcesses().length).toBeGreaterThanOrEqual(5);
    child?.kill('SIGINT');
    expect(await ended).toBe(0);
    expectNothingLeft();
  });

  test('ends by itself after --seconds', { timeout: 120_000 }, async () => {
    expect(await run(...anyPorts, '--seconds', '2', '--no-traffic')).toBe(0);
    expectNothingLeft();
  });

  test('can be interrupted while it starts', { timeout: 60_000 }, async () => {
    const ended = run(...anyPorts);
    await expect.poll(() => readdirSync(folder).length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
    child?.kill('SIGINT');
    expect(await ended).toBe(0);
    expectNothingLeft();
  });

  test.skipIf(!canLookIntoProcesses)(
    'ends with the shell of npm that started it (needs /proc)',
    { timeout: 120_000 },
    async () => {
      child = spawn('sh', ['-c', `"${process.execPath}" "${program}" ${anyPorts.join(' ')} --no-traffic; true`], {
        env: { ...process.env, TMPDIR: folder, npm_lifecycle_event: 'demo' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout?.on('data', (chunk) => {
        output += String(chunk);
      });
      await ready();
      child.kill('SIGTERM');
      await expect.poll(leftProcesses, { timeout: 15_000 }).toEqual([]);
      expectNothingLeft();
    },
  );

  test.skipIf(!canLookIntoProcesses)(
    'says which part died, and stops (needs /proc)',
    { timeout: 120_000 },
    async () => {
      const ended = run(...anyPorts, '--no-traffic');
      await ready();
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TMPDIR=${folder}\0`);
          if (isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/chimney/dist/'))
            process.kill(Number(pid), 'SIGKILL');
        } catch {
          // not ours
        }
      }
      expect(await ended).toBe(1);
      expect(output).toContain('chimney was ended by SIGKILL');
      expectNothingLeft();
    },
  );

  test('names a port that is taken, and the flag that changes it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const code = await run(...anyPorts, '--chimney-port', String(port));
    taken.close();
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port}`);
    expect(output).toContain('--chimney-port');
    expectNothingLeft();
  });

  test.each([['--bogus'], ['--seconds', 'soon'], ['--port', '70000']])('refuses %s %s', async (...args) => {
    expect(await run(...args)).toBe(1);
    expect(output).toContain(args[0]);
  });

  test('--help', async () => {
    expect(await run('--help')).toBe(0);
    expect(output).toContain('--no-traffic');
  });
});
