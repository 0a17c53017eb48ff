import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const help = `CPU per operation that the wrappers of surfaces add, beside the same by hand with the official packages (Linux, two cores or more).

  npm run bench:surfaces -w bench -- --peers <folder> [--rounds 5] [--operations 50000]

<folder> is anywhere outside this repository:
  npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
The application runs on core 0, the receiver on core 1; variants take turns within each round, medians are shown.`;

const { values } = parseArgs({
  options: {
    peers: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    operations: { type: 'string', default: '50000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.peers === undefined) {
  console.log(help);
  process.exit(values.help ? 0 : 1);
}

const peer = createRequire(join(resolve(values.peers), 'package.json'));
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const register = path('../../packages/node/dist/register.js');
const variants = [
  { how: 'bare', nodeArguments: [], packageName: '' },
  {
    how: 'signalbox',
    nodeArguments: ['--import', pathToFileURL(register).href],
    packageName: path('../../packages/node/dist/index.cjs'),
  },
  {
    how: 'official',
    nodeArguments: ['--require', peer.resolve('@opentelemetry/auto-instrumentations-node/register')],
    packageName: peer.resolve('@opentelemetry/api'),
  },
] as const;
const operations = ['function', 'publish and process', 'kv.get'] as const;

const run = promisify(execFile);
const sink = spawn('taskset', ['-c', '1', process.execPath, '--import', 'tsx', path('sink.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(sink.stdout, 'data')) as [Buffer];
const port = /port=(\d+)/.exec(String(line))?.[1];
const samples = new Map<string, number[]>();
try {
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const operation of operations)
      for (const variant of variants) {
        const key = `${operation} ${variant.how}`;
        samples.set(key, [...(samples.get(key) ?? []), await measure(operation, variant)]);
      }
} finally {
  sink.kill();
}
console.log('| operation | bare, µs | signalbox adds, µs | official adds, µs | ratio |');
console.log('| --- | --- | --- | --- | --- |');
for (const operation of operations) {
  const [bare, ours, official] = variants.map(({ how }) => median(samples.get(`${operation} ${how}`) ?? []));
  const [added, theirs] = [(ours ?? 0) - (bare ?? 0), (official ?? 0) - (bare ?? 0)];
  const cells = [bare ?? 0, added, theirs, added / theirs].map((value) => value.toFixed(2));
  console.log(`| ${operation} | ${cells.join(' | ')} |`);
}

/** Microseconds of CPU for one operation. The process ends itself before it could wait for what has not been sent. */
async function measure(
  operation: string,
  { how, nodeArguments, packageName }: (typeof variants)[number],
): Promise<number> {
  const app = [path('apps/surfaces.cjs'), operation, how, values.operations, packageName];
  const env = {
    PATH: process.env.PATH,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: 'bench',
  };
  const ended: { stdout: string } = await run('taskset', ['-c', '0', process.execPath, ...nodeArguments, ...app], {
    env,
  }).catch((error: { stdout: string }) => error);
  const cpu = /cpu=(\d+)/.exec(ended.stdout)?.[1];
  if (cpu === undefined) throw new Error(`${operation} ${how} printed no CPU time: ${ended.stdout}`);
  return Number(cpu) / Number(values.operations);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;
}
