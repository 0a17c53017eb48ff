import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import {
  type PeerServer,
  startPostgres,
  startRabbitmq,
  startRedis,
} from '../../packages/node/src/testing/peer-server.ts';
import type { Row } from '../product/report.ts';
import type { NodeProgram, Peers } from './peers.ts';
import { AppFolder, exporterEnvironment } from './service.ts';
import { Samples, verdict } from './statistics.ts';
import { autoInstrumentations, bare, ourPackage, ours, type Variant } from './variants.ts';

interface OperationCase {
  /** As `apps/operations.cjs` knows it. */
  readonly name: string;
  readonly packages?: readonly string[];
  readonly startServer?: () => Promise<PeerServer>;
  readonly count: number;
}

const cases: Readonly<Record<string, OperationCase>> = {
  pg: { name: 'pg query', packages: ['pg'], startServer: () => startPostgres(), count: 20_000 },
  redis: { name: 'ioredis get', packages: ['ioredis'], startServer: startRedis, count: 20_000 },
  amqp: { name: 'amqplib publish and consume', packages: ['amqplib'], startServer: startRabbitmq, count: 20_000 },
  ws: { name: 'ws message', packages: ['ws'], count: 20_000 },
  function: { name: 'function', count: 30_000 },
  queue: { name: 'publish and process', count: 30_000 },
  kv: { name: 'kv.get', count: 30_000 },
};

export const operationCases = Object.keys(cases);

/** A busy machine has time for fewer rounds. */
const limitMillis = 150_000;
/** At most so much of what the stock instrumentation adds. */
const budget = 0.5;
const run = promisify(execFile);

/**
 * CPU that an operation of a library costs more, export included: with us, and with the stock instrumentation of it, or
 * with the official API by hand where there is none.
 */
export async function measureOperations(
  key: string,
  { peers, node, collector, rounds }: { peers: Peers; node: NodeProgram; collector: string; rounds: number },
): Promise<Row> {
  const wanted = cases[key];
  if (wanted === undefined) throw new Error(`there is no operation ${key}`);
  const ownApi = createRequire(import.meta.url).resolve('@opentelemetry/api');
  const variants: { how: string; variant: Variant; env: Record<string, string> }[] = [
    { how: 'bare', variant: bare, env: { BENCH_API: ownApi } },
    { how: 'signalbox', variant: ours, env: { BENCH_API: ownApi, BENCH_PACKAGE: ourPackage } },
  ];
  const api = peers.stock?.resolve('@opentelemetry/api');
  for (const variant of autoInstrumentations(peers))
    if (api !== undefined) variants.push({ how: 'official', variant, env: { BENCH_API: api, BENCH_PACKAGE: api } });

  const samples = new Samples();
  using folder = new AppFolder(wanted.packages);
  const server = await wanted.startServer?.();
  try {
    const deadline = Date.now() + limitMillis;
    for (let round = 0; round < rounds && (round === 0 || Date.now() < deadline); round += 1)
      for (const { how, variant, env } of variants) {
        const program = ['operations.cjs', wanted.name, how, String(wanted.count), String(server?.port ?? 0)];
        const options = {
          cwd: folder.path,
          env: { PATH: process.env.PATH, ...exporterEnvironment(collector), ...variant.env, ...env },
        };
        const command = ['-c', '0', node.path, ...variant.nodeArguments, ...program];
        // It kills itself, which is an error to `run`.
        const ended: { stdout: string; stderr: string } = await run('taskset', command, options).catch(
          (error: { stdout: string; stderr: string }) => error,
        );
        const cpu = /cpu=(\d+)/.exec(ended.stdout)?.[1];
        if (cpu === undefined) throw new Error(`${wanted.name} ${how} printed no CPU time: ${ended.stderr}`);
        samples.add(how, Number(cpu) / wanted.count);
      }
  } finally {
    await server?.remove();
  }
  const base = samples.median('bare');
  const [added, theirs] = [samples.median('signalbox') - base, samples.median('official') - base];
  return {
    operation: wanted.name,
    rounds: samples.of('bare').length,
    'bare, µs': base,
    'signalbox adds, µs': added,
    'stock adds, µs': theirs,
    ratio: (added / theirs).toFixed(2),
    verdict: Number.isNaN(theirs) ? '' : verdict(added / theirs, budget),
  };
}
