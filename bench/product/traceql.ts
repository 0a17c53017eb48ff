import { processIdle } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { copiesOf, dense, encodedSpans, nowNs, sparse } from './workload.ts';

export interface TraceqlOptions {
  millions: number;
  /** Spans per second that come in while the questions are asked again. */
  pace: number;
}

const repeats = 15;
const hour = 3_600;

type Question = (turn: number) => [path: string, parameters: Record<string, string>];

/** How long Tempo's and Jaeger's APIs take over so many spans, alone and while spans come in. */
export async function traceql({ millions, pace }: TraceqlOptions): Promise<void> {
  const signalbox = await new Signalbox().start();
  try {
    const once = encodedSpans(Math.min(millions, 1) * 1_000_000, nowNs(), sparse);
    const requests = copiesOf(once, Math.max(1, millions), sparse.nsPerMillion);
    await send(`${signalbox.otlpHttp}/v1/traces`, requests, { connections: 4 });
    await processIdle(signalbox.pid);
    const questions = await questionsFor(signalbox, millions);
    const alone = await ask(signalbox, questions);
    const load = encodedSpans(pace * 120, nowNs(), { ...dense, seed: 300 });
    const stop = new AbortController();
    const ingest = send(`${signalbox.otlpHttp}/v1/traces`, untilAborted(load, stop.signal), {
      connections: 8,
      recordsPerSecond: pace,
    });
    // Both, so that an error of one is not hidden by what the other then says.
    const [beside] = await Promise.all([ask(signalbox, questions).finally(() => stop.abort()), ingest]);
    report(
      `traceql-${millions}M`,
      alone.map((row, index) => ({ ...row, [`p95 beside ${pace} spans/s, ms`]: beside[index]?.['p95, ms'] ?? '' })),
    );
  } finally {
    await signalbox.dispose();
  }
}

function* untilAborted<Item>(items: Iterable<Item>, signal: AbortSignal): Generator<Item> {
  for (const item of items) {
    if (signal.aborted) return;
    yield item;
  }
}

async function questionsFor(signalbox: Signalbox, millions: number): Promise<Record<string, Question>> {
  const end = Math.ceil(Date.now() / 1000);
  const whole = { start: `${end - (millions * 2 + 1) * hour}`, end: `${end}`, limit: '20' };
  const search =
    (q: string | ((turn: number) => string)): Question =>
    (turn) => ['/api/search', { ...whole, q: typeof q === 'string' ? q : q(turn) }];
  const [path, parameters] = search('{ name = "POST /checkout" }')(0);
  const { traces } = (await get(signalbox, path, parameters)) as { traces: { traceID: string }[] };
  const sixHours = { start: `${end - 6 * hour}`, end: `${end}`, step: '60s' };
  return {
    'a trace by id (limit: 25 ms)': (turn) => [`/api/v2/traces/${traces[turn % traces.length]?.traceID}`, {}],
    'by service and duration (50 ms)': search('{ resource.service.name = "checkout" && duration > 100ms }'),
    'by an attribute value of 1 in 10,000 (150 ms)': search((turn) => `{ span.enduser.id = "user-${50 + turn}" }`),
    'by an attribute value of 1 in 20 (50 ms)': search('{ span.http.request.method = "POST" }'),
    'structural (400 ms)': search('{ resource.service.name = "gateway" } >> { status = error }'),
    'count() > 5, which every trace fulfils': search('{} | count() > 5'),
    'rate() by (resource.service.name), 6 h (300 ms)': () => [
      '/api/metrics/query_range',
      { ...sixHours, q: '{} | rate() by (resource.service.name)' },
    ],
    'quantile_over_time(duration, 0.95) by (name), 6 h': () => [
      '/api/metrics/query_range',
      { ...sixHours, q: '{ kind = server } | quantile_over_time(duration, .95) by (name)' },
    ],
  };
}

async function ask(signalbox: Signalbox, questions: Record<string, Question>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, question] of Object.entries(questions)) {
    const times: number[] = [];
    for (let turn = 0; turn <= repeats; turn++) {
      const from = performance.now();
      await get(signalbox, ...question(turn));
      if (turn > 0) times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    rows.push({ what, 'p50, ms': percentile(times, 0.5), 'p95, ms': percentile(times, 0.95) });
  }
  return rows;
}

async function get(signalbox: Signalbox, path: string, parameters: Record<string, string>): Promise<unknown> {
  const url = new URL(path, signalbox.page);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${url.pathname}${url.search}: ${text}`);
  return JSON.parse(text);
}
