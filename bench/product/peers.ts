import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { processIdle, processUsage } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { percentile, send } from './sender.ts';
import { copiesOf, dense, encodedSpans, nowNs } from './workload.ts';

export interface PeersOptions {
  /** Spans that each program gets in a round; a fraction of a million, or whole millions. */
  millions: number;
  rounds: number;
  connections: number;
  /** Programs by the names of `peers`, built elsewhere; those without one are left out, and named. */
  programs: Readonly<Record<PeerName, string | undefined>>;
}

const signalboxProgram = join(import.meta.dirname, '../../packages/server/bin/signalbox.cjs');
const sinkProgram = join(import.meta.dirname, '../sdk/sink.ts');
const READY_MS = 30_000;

type PeerName = 'jaeger' | 'collector' | 'victoria-traces';

/** What is started in an empty folder, and takes OTLP over HTTP. */
interface Candidate {
  readonly what: string;
  readonly peer?: PeerName;
  /** Whether spans are kept; the others only hand them on. */
  readonly keeps: boolean;
  readonly path: string;
  command(program: string, folder: string, port: number, sink: string): string[];
}

const forwards = (port: number, exporter: string, settings: object) => ({
  receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
  exporters: { [exporter]: settings },
  service: {
    pipelines: { traces: { receivers: ['otlp'], exporters: [exporter] } },
    telemetry: { metrics: { level: 'none' } },
  },
});

/** YAML reads JSON. */
function configuration(folder: string, content: object): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify(content, null, 2));
  return file;
}

function signalbox(folder: string, { service, ...rest }: ReturnType<typeof forwards>): string[] {
  const file = configuration(folder, { ...rest, service: { pipelines: service.pipelines } });
  return [process.execPath, signalboxProgram, '--config', file, '--port', '0'];
}

const candidates: readonly Candidate[] = [
  {
    what: 'Signalbox',
    keeps: true,
    path: '/v1/traces',
    command: (program, folder, port) => {
      const ports = ['--port', '0', '--otlp-http-port', String(port), '--otlp-grpc-port', '0'];
      return [process.execPath, program, '--data', join(folder, 'data'), ...ports];
    },
  },
  {
    what: 'Jaeger, Badger',
    peer: 'jaeger',
    keeps: true,
    path: '/v1/traces',
    command: (program, folder, port) => {
      const directories = { keys: join(folder, 'keys'), values: join(folder, 'values') };
      const exporter = 'jaeger_storage_exporter';
      const { service, ...own } = forwards(port, exporter, { trace_storage: 'badger' });
      // With the batch processor, as in its own configuration for Badger: answers then come before spans are stored.
      const pipelines = { traces: { receivers: ['otlp'], processors: ['batch'], exporters: [exporter] } };
      const content = {
        ...own,
        processors: { batch: {} },
        extensions: { jaeger_storage: { backends: { badger: { badger: { directories, ephemeral: false } } } } },
        service: { ...service, pipelines, extensions: ['jaeger_storage'] },
      };
      return [program, '--config', configuration(folder, content)];
    },
  },
  {
    what: 'VictoriaTraces',
    peer: 'victoria-traces',
    keeps: true,
    path: '/insert/opentelemetry/v1/traces',
    command: (program, folder, port) => [
      program,
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
    ],
  },
  {
    what: 'Signalbox, debug exporter',
    keeps: false,
    path: '/v1/traces',
    command: (_program, folder, port) => signalbox(folder, forwards(port, 'debug', { verbosity: 'basic' })),
  },
  {
    what: 'Collector, debug exporter',
    peer: 'collector',
    keeps: false,
    path: '/v1/traces',
    command: (program, folder, port) => [
      program,
      '--config',
      configuration(folder, forwards(port, 'debug', { verbosity: 'basic' })),
    ],
  },
  {
    what: 'Signalbox, forwarding',
    keeps: false,
    path: '/v1/traces',
    command: (_program, folder, port, sink) =>
      signalbox(folder, forwards(port, 'otlphttp', { endpoint: sink, compression: 'none' })),
  },
  {
    what: 'Collector, forwarding',
    peer: 'collector',
    keeps: false,
    path: '/v1/traces',
    command: (program, folder, port, sink) => [
      program,
      '--config',
      // It would refuse what is more than a thousand requests ahead, and the run would end.
      configuration(
        folder,
        forwards(port, 'otlp_http', {
          endpoint: sink,
          compression: 'none',
          sending_queue: { block_on_overflow: true },
        }),
      ),
    ],
  },
];

interface Figures {
  readonly cpu: number;
  readonly perSecond: number;
  readonly rss: number;
  readonly bytes: number;
  readonly p99: number;
}

/**
 * Other programs that take OTLP, and Signalbox, by turns: the same requests, each time into an empty folder. Any answer but a full
 * success ends the run. Medians over the rounds, and what each takes as a multiple of the Signalbox that does the same.
 */
export async function peers(options: PeersOptions): Promise<void> {
  const requests = encodedSpans(Math.min(1, options.millions) * 1e6, nowNs(), dense);
  const chosen = candidates.filter(({ peer }) => peer === undefined || options.programs[peer] !== undefined);
  for (const { what } of candidates.filter((candidate) => !chosen.includes(candidate))) {
    console.log(`${what}: left out, no program was named for it`);
  }
  const all = new Map<Candidate, Figures[]>();
  for (let round = 0; round < options.rounds; round++) {
    for (const candidate of chosen) {
      const figures = await measure(candidate, options, requests);
      console.log(
        `${candidate.what}: ${figures.cpu.toFixed(1)} CPU-s per million, ${figures.perSecond.toFixed(0)} spans/s`,
      );
      all.set(candidate, [...(all.get(candidate) ?? []), figures]);
    }
  }
  const median = (candidate: Candidate, figure: keyof Figures): number =>
    percentile(
      (all.get(candidate) ?? []).map((figures) => figures[figure]).sort((a, b) => a - b),
      0.5,
    );
  const rows = chosen.map((candidate): Row => {
    const ours = ourCounterpart(candidate);
    return {
      what: candidate.what,
      'CPU-s per million': median(candidate, 'cpu'),
      'CPU, of ours': median(candidate, 'cpu') / median(ours, 'cpu'),
      'spans/s': median(candidate, 'perSecond'),
      'ack p99, ms': median(candidate, 'p99'),
      'peak RSS, MB': median(candidate, 'rss') / 1e6,
      'bytes per span on disk': candidate.keeps ? median(candidate, 'bytes') : '',
    };
  });
  report('peers', rows);
}

/** The Signalbox that does what the candidate does: it stands before it in the list. */
function ourCounterpart(candidate: Candidate): Candidate {
  const upTo = candidates.slice(0, candidates.indexOf(candidate) + 1);
  return upTo.findLast(({ peer }) => peer === undefined) ?? candidate;
}

async function measure(
  candidate: Candidate,
  { millions, connections, programs }: PeersOptions,
  requests: ReturnType<typeof encodedSpans>,
): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-peers-'));
  const sink = await startSink();
  const port = await freePort();
  const program = candidate.peer === undefined ? signalboxProgram : (programs[candidate.peer] ?? '');
  const [command = '', ...parameters] = candidate.command(program, folder, port, sink.url);
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      output = (output + part.toString()).slice(-4_000);
    });
  }
  try {
    const url = `http://127.0.0.1:${port}${candidate.path}`;
    await ready(child, url, () => output);
    const pid = child.pid ?? 0;
    const before = processUsage(pid);
    const result = await send(url, copiesOf(requests, Math.ceil(millions), dense.nsPerMillion), { connections });
    await processIdle(pid);
    const after = processUsage(pid);
    return {
      cpu: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / result.records,
      perSecond: result.records / result.seconds,
      rss: after.peakRssBytes,
      bytes: folderBytes(folder) / result.records,
      p99: percentile(result.latencies, 0.99),
    };
  } finally {
    await stop(child);
    await stop(sink.child);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess, url: string, output: () => string): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' };
  for (const deadline = Date.now() + READY_MS; ; ) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended:\n${output()}`);
    // No spans at all are a valid request.
    const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array() }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (Date.now() > deadline)
      throw new Error(`${url} takes nothing after ${READY_MS} ms (${answer?.status}):\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Takes what is forwarded, in a process of its own. */
async function startSink(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', sinkProgram], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: `http://127.0.0.1:${/port=(\d+)/.exec(line.toString())?.[1]}` };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const killed = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await once(child, 'exit');
  clearTimeout(killed);
}

function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    // Space that is taken: files of stores may have holes.
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512;
  }
  return bytes;
}
