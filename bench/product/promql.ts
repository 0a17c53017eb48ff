import { setTimeout } from 'node:timers/promises';
import { metricRequests } from '../workload/metrics.ts';
import { processIdle, processUsage } from './process-usage.ts';
import { Prometheus } from './prometheus.ts';
import { type Row, report } from './report.ts';
import { sendBeside } from './send-beside.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { nowNs } from './workload.ts';

export interface PromqlOptions {
  series: number;
  hours: number;
  /** The path of a Prometheus 3, to ask the same. */
  prometheus: string | undefined;
}

const repeats = 11;
/** How long points come as fast as they can, before half of that. */
const fullSpeedMs = 8_000;
const stepNs = 15_000_000_000n;
const secondNs = 1_000_000_000n;

/** Of every question: its time at the data's end, or over all of it, a minute a step. */
const questions: Record<string, { query: string; isRange: boolean }> = {
  'a moment: one series': { query: 'requests_0_total{pod="pod-77"}', isRange: false },
  'a moment: sum by, 5,000 series': { query: 'sum by (route) (requests_0_total)', isRange: false },
  'a moment: sum by of rate, 5,000 series': { query: 'sum by (route) (rate(requests_0_total[5m]))', isRange: false },
  'a range: rate of one series': { query: 'rate(requests_0_total{pod="pod-77"}[5m])', isRange: true },
  'a range: quantile of rate, 1,000 buckets': {
    query: 'histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))',
    isRange: true,
  },
  'a range: quantile of sum by (le) of rate, 1,000 buckets': {
    query: 'histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))',
    isRange: true,
  },
  'a range: sum by of rate, 550 series': {
    query: 'sum by (route) (rate(requests_0_total{route=~"/r1.?"}[5m]))',
    isRange: true,
  },
  'a range: sum by of rate, 5,000 series': { query: 'sum by (route) (rate(requests_0_total[5m]))', isRange: true },
  'a range: max of max_over_time, 5,000 series': {
    query: 'max by (code) (max_over_time(requests_0_total[10m]))',
    isRange: true,
  },
};

/** PromQL over OTLP metrics, and a Prometheus asked the same by turns; then with ingest at half of its speed. */
export async function promql({ series, hours, prometheus }: PromqlOptions): Promise<void> {
  const points = hours * 240;
  const startTime = (nowNs() / secondNs) * secondNs - BigInt(points) * stepNs;
  const endSeconds = Number((startTime + BigInt(points - 1) * stepNs) / secondNs);
  const signalbox = await new Signalbox().start();
  const peer = prometheus === undefined ? undefined : await new Prometheus().start(prometheus);
  try {
    const load = { series, points, startTime, stepNs };
    const sent = await send(`${signalbox.otlpHttp}/v1/metrics`, metricRequests(load), { connections: 4 });
    console.log(`${sent.records} points in ${sent.seconds.toFixed(0)} s`);
    if (peer !== undefined) {
      // One connection: what comes out of order is refused.
      const told = await send(`${peer.base}/api/v1/otlp/v1/metrics`, metricRequests(load), { connections: 1 });
      console.log(`Prometheus: ${told.records} points in ${told.seconds.toFixed(0)} s`);
    }
    await processIdle(signalbox.pid);
    if (peer !== undefined) await processIdle(peer.pid);
    report(`promql-${series}`, await besideEachOther(signalbox, peer, endSeconds, hours));
    report(`promql-beside-ingest-${series}`, await besideIngest(signalbox, endSeconds, hours));
  } finally {
    await signalbox.dispose();
    await peer?.dispose();
  }
}

async function besideEachOther(
  signalbox: Signalbox,
  peer: Prometheus | undefined,
  endSeconds: number,
  hours: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, question] of Object.entries(questions)) {
    const [own, theirs]: [Timed[], Timed[]] = [[], []];
    try {
      for (let turn = 0; turn < repeats; turn++) {
        own.push(await ask(signalbox.page, signalbox.pid, question, endSeconds, hours));
        if (peer !== undefined) theirs.push(await ask(peer.base, peer.pid, question, endSeconds, hours));
      }
    } catch (error) {
      // The other rows are worth having.
      console.error(what, error);
      continue;
    }
    const [first, ...later] = own;
    rows.push({
      what,
      'first, ms': first?.ms ?? Number.NaN,
      'median, ms': median(later.map(({ ms }) => ms)),
      'CPU, ms': median(later.map(({ cpuMs }) => cpuMs)),
      'Prometheus: first, ms': theirs[0]?.ms ?? '',
      'Prometheus: median, ms': theirs.length === 0 ? '' : median(theirs.slice(1).map(({ ms }) => ms)),
      'Prometheus: CPU, ms': theirs.length === 0 ? '' : median(theirs.slice(1).map(({ cpuMs }) => cpuMs)),
    });
  }
  return rows;
}

/** Questions of a dashboard, one after the other, alone and while points come in half as fast as they can. */
async function besideIngest(signalbox: Signalbox, endSeconds: number, hours: number): Promise<Row[]> {
  const url = `${signalbox.otlpHttp}/v1/metrics`;
  const { sent } = await sendBeside({ url, signal: 'metrics', pace: Number.MAX_SAFE_INTEGER }, () =>
    setTimeout(fullSpeedMs),
  );
  await processIdle(signalbox.pid);
  const pace = sent.records / sent.seconds / 2;
  const asked = [
    'a moment: one series',
    'a moment: sum by, 5,000 series',
    'a moment: sum by of rate, 5,000 series',
    'a range: rate of one series',
    'a range: quantile of sum by (le) of rate, 1,000 buckets',
  ] as const;
  const alone = await askAll(signalbox, asked, endSeconds, hours);
  const load = { url, signal: 'metrics', pace } as const;
  const { result: busy } = await sendBeside(load, () => askAll(signalbox, asked, endSeconds, hours));
  return asked.map((what, index) => ({
    what,
    'points/s': Math.round(pace),
    'alone: median, ms': percentile(alone[index] ?? [], 0.5),
    'alone: p95, ms': percentile(alone[index] ?? [], 0.95),
    'with ingest: median, ms': percentile(busy[index] ?? [], 0.5),
    'with ingest: p95, ms': percentile(busy[index] ?? [], 0.95),
  }));
}

async function askAll(
  signalbox: Signalbox,
  asked: readonly (keyof typeof questions)[],
  endSeconds: number,
  hours: number,
): Promise<number[][]> {
  const times = asked.map((): number[] => []);
  for (let turn = 0; turn < 40; turn++) {
    for (const [index, what] of asked.entries()) {
      const question = questions[what];
      if (question === undefined) throw new Error(`There is no question ${what}`);
      times[index]?.push((await ask(signalbox.page, signalbox.pid, question, endSeconds, hours)).ms);
    }
  }
  return times.map((own) => own.sort((a, b) => a - b));
}

interface Timed {
  readonly ms: number;
  /** Of the process that answers, all threads. */
  readonly cpuMs: number;
}

/** How long the whole answer takes. Throws when there is none, or an empty one. */
async function ask(
  base: string,
  pid: number,
  { query, isRange }: { query: string; isRange: boolean },
  endSeconds: number,
  hours: number,
): Promise<Timed> {
  const times: Record<string, string> = isRange
    ? { start: `${endSeconds - hours * 3_600}`, end: `${endSeconds}`, step: '60' }
    : { time: `${endSeconds}` };
  const cpuBefore = processUsage(pid).cpuSeconds;
  const from = performance.now();
  const path = isRange ? 'query_range' : 'query';
  const response = await fetch(`${base}/api/v1/${path}?${new URLSearchParams({ query, ...times })}`);
  const text = await response.text();
  const ms = performance.now() - from;
  if (!response.ok || text.includes('"result":[]'))
    throw new Error(`${query}: ${response.status} ${text.slice(0, 200)}`);
  return { ms, cpuMs: (processUsage(pid).cpuSeconds - cpuBefore) * 1_000 };
}

function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
