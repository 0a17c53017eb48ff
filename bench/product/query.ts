import type { TraceSearchResponse } from '@signalbox/api-contract';
import { processIdle } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { copiesOf, dense, encodedLogs, encodedSpans, nowNs, sparse } from './workload.ts';

export interface QueryOptions {
  millions: number;
  /** Long queries that run while ingest is timed. */
  longQueries: number;
  /** Spans per second of that ingest. */
  pace: number;
}

const repeats = 15;
/** Of ingest alone and beside queries, by turns. */
const rounds = 7;
const secondsARound = 8;

/** How long the page's questions take over so many spans and half a million log lines, and what they do to ingest. */
export async function query(options: QueryOptions): Promise<void> {
  const signalbox = await new Signalbox().start();
  try {
    await send(
      `${signalbox.otlpHttp}/v1/traces`,
      copiesOf(encodedSpans(1_000_000, nowNs(), sparse), options.millions, sparse.nsPerMillion),
      {
        connections: 4,
      },
    );
    await send(`${signalbox.otlpHttp}/v1/logs`, encodedLogs(500_000, nowNs()), { connections: 4 });
    await processIdle(signalbox.pid);
    report(`query-${options.millions}M`, await latencies(signalbox, options.millions));
    report(`ingest-beside-queries-${options.millions}M`, await beside(signalbox, options));
  } finally {
    await signalbox.dispose();
  }
}

async function latencies(signalbox: Signalbox, millions: number): Promise<Row[]> {
  const range = { start: `now-${millions * 2 + 1}h`, end: 'now' };
  const hour = { start: 'now-1h', end: 'now' };
  const found = await signalbox.api<TraceSearchResponse>('traces', {
    ...range,
    limit: '20',
    operation: 'POST /checkout',
  });
  const traceIds = found.traces.map(({ traceId }) => traceId);
  const questions: Record<string, (turn: number) => [string, Record<string, string>]> = {
    'a trace by id': (turn) => [`traces/${traceIds[turn % traceIds.length]}`, {}],
    'newest 50 traces of the last hour': () => ['traces', hour],
    'newest 50 failed traces of a service, last hour': () => [
      'traces',
      { ...hour, service: 'checkout', status: 'ERROR' },
    ],
    'by a rare attribute, whole range': (turn) => [
      'traces',
      { ...range, filter: `enduser.id = "user-${100_000 + turn * 977}"` },
    ],
    'by a common attribute, whole range': () => ['traces', { ...range, filter: 'http.request.method = "POST"' }],
    'by a numeric comparison, whole range': () => ['traces', { ...range, filter: 'http.response.status_code >= 502' }],
    'by a numeric comparison, last hour': () => ['traces', { ...hour, filter: 'http.response.status_code >= 502' }],
    'services with RED, last hour': () => ['services', hour],
    'operations of a service with p95 per step, whole range': () => ['services/gateway/operations', range],
    'RED of one operation, whole range': () => ['services/gateway/red', { ...range, operation: 'GET /search' }],
    'service map, last hour': () => ['service-map', hour],
    'logs with a rare word': (turn) => ['logs', { ...range, q: `${(turn * 7919 + 104_729).toString(16)}` }],
    'logs with two common words': () => ['logs', { ...range, q: 'payment declined' }],
    'log histogram': () => ['logs/histogram', range],
  };
  const rows: Row[] = [];
  for (const [what, ask] of Object.entries(questions)) {
    const times: number[] = [];
    let first = Number.NaN;
    try {
      for (let turn = 0; turn <= repeats; turn++) {
        const from = performance.now();
        await signalbox.api(...ask(turn));
        if (turn === 0) first = performance.now() - from;
        else times.push(performance.now() - from);
      }
    } catch (error) {
      rows.push({
        what: `${what}: ${error instanceof Error ? error.message.slice(0, 100) : error}`,
        'first, ms': '',
        'median, ms': '',
        'slowest, ms': '',
      });
      continue;
    }
    times.sort((a, b) => a - b);
    rows.push({
      what,
      'first, ms': first,
      'median, ms': percentile(times, 0.5),
      'slowest, ms': times.at(-1) ?? Number.NaN,
    });
  }
  return rows;
}

/** Ingest at an even pace, by turns alone and with long queries running all the while; medians over the rounds. */
async function beside(signalbox: Signalbox, options: QueryOptions): Promise<Row[]> {
  const range = { start: `now-${options.millions * 2 + 1}h`, end: 'now' };
  const round = async (seed: number): Promise<number[]> => {
    const requests = encodedSpans(options.pace * secondsARound, nowNs(), { ...dense, seed });
    const pacing = { connections: 8, recordsPerSecond: options.pace };
    return (await send(`${signalbox.otlpHttp}/v1/traces`, requests, pacing)).latencies;
  };
  const besideQueries = async (seed: number): Promise<number[]> => {
    const stop = new AbortController();
    const askForever = async () => {
      while (!stop.signal.aborted) {
        // A regular expression over every attribute value of every span: nothing helps it.
        await signalbox
          .api('traces', { ...range, filter: 'url.path =~ ".*9.*8.*7.*6.*"' }, stop.signal)
          .catch(() => undefined);
        asked++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const askers = Array.from({ length: options.longQueries }, askForever);
    const latencies = await round(seed);
    stop.abort();
    await Promise.all(askers);
    return latencies;
  };
  let asked = 0;
  const alone: number[][] = [];
  const beside: number[][] = [];
  for (let i = 0; i < rounds; i++) {
    alone.push(await round(100 + i));
    beside.push(await besideQueries(200 + i));
  }
  const row = (what: string, latencies: number[][]): Row => {
    const median = (p: number) =>
      percentile(
        latencies.map((sorted) => percentile(sorted, p)).sort((a, b) => a - b),
        0.5,
      );
    return { what, 'ack p50, ms': median(0.5), 'ack p99, ms': median(0.99), 'slowest, ms': median(1) };
  };
  console.log(`${asked} long queries were answered, refused or cancelled`);
  return [
    row(`${options.pace} spans/s alone`, alone),
    row(`${options.pace} spans/s with ${options.longQueries} long queries`, beside),
  ];
}
