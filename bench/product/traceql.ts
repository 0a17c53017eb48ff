import { processIdle } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { acknowledged, sendBeside } from './send-beside.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { besideNs, copiesOf, encodedSpans, nowNs, sparse } from './workload.ts';

export interface TraceqlOptions {
  millions: number;
  /** Spans per second that come in while the questions are asked again; undefined: half as many as came in before. */
  pace: number | undefined;
}

// Of fewer, p95 is what the second worst happened to meet: a merge, or another program.
const repeats = 100;
const hour = 3_600;

type Question = (turn: number) => [path: string, parameters: Record<string, string>];

/** How long Tempo's and Jaeger's APIs take over so many spans, alone and while spans come in. */
export async function traceql({ millions, pace }: TraceqlOptions): Promise<void> {
  const signalbox = await new Signalbox().start();
  try {
    const endTime = nowNs() - besideNs;
    const once = encodedSpans(Math.min(millions, 1) * 1_000_000, endTime, sparse);
    const requests = copiesOf(once, Math.max(1, millions), sparse.nsPerMillion);
    const loaded = await send(`${signalbox.otlpHttp}/v1/traces`, requests, { connections: 64 });
    await processIdle(signalbox.pid);
    const questions = await questionsFor(signalbox, millions, endTime);
    const alone = await ask(signalbox, questions, 0);
    const steady = pace ?? Math.round(loaded.records / loaded.seconds / 2);
    const load = { url: `${signalbox.otlpHttp}/v1/traces`, signal: 'traces', pace: steady } as const;
    const { result: beside, sent } = await sendBeside(load, () => ask(signalbox, questions, 200));
    report(
      `traceql-${millions}M`,
      alone.map((row, index) => ({
        ...row,
        [`p50 beside ${steady} spans/s, ms`]: beside[index]?.['p50, ms'] ?? '',
        'p95 beside, ms': beside[index]?.['p95, ms'] ?? '',
      })),
    );
    report('acknowledged-beside-questions', [acknowledged(sent)]);
  } finally {
    await signalbox.dispose();
  }
}

async function questionsFor(
  signalbox: Signalbox,
  millions: number,
  endTime: bigint,
): Promise<Record<string, Question>> {
  const end = Number(endTime / 1_000_000_000n) + 1;
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

/** @param firstTurn so that what is looked for is not what was: the engine knows that already */
async function ask(signalbox: Signalbox, questions: Record<string, Question>, firstTurn: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, question] of Object.entries(questions)) {
    const times: number[] = [];
    for (let turn = 0; turn <= repeats; turn++) {
      const from = performance.now();
      await get(signalbox, ...question(firstTurn + turn));
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
