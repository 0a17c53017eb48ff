import { encodeLogRequest } from '../workload/encode-otlp.ts';
import { logRequests } from '../workload/logs.ts';
import { processIdle, processUsage } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { acknowledged, sendBeside } from './send-beside.ts';
import { percentile, type SendResult, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { besideNs, copiesOf, minuteNs, nowNs } from './workload.ts';

export interface LogqlOptions {
  /** Lines of text, six hours of them however many they are. */
  millions: number;
}

const repeats = 11;
const million = 1_000_000;
const hours = 6;
const totalNs = BigInt(hours) * 60n * minuteNs;

/** LogQL over OTLP logs: six hours of text, and as much time with lines of JSON, a tenth as many; then with ingest beside it. */
export async function logql({ millions }: LogqlOptions): Promise<void> {
  const signalbox = await new Signalbox().start();
  const endTime = nowNs() - besideNs;
  try {
    const shiftNs = totalNs / BigInt(Math.ceil(millions));
    const lines = encoded(Math.min(millions, 1) * million, endTime, shiftNs, (body) => body);
    const sent = await send(`${signalbox.otlpHttp}/v1/logs`, copiesOf(lines, Math.ceil(millions), shiftNs), {
      connections: 64,
    });
    console.log(`${sent.records} lines in ${sent.seconds.toFixed(0)} s`);
    const json = (body: string, status: number, took: number) =>
      JSON.stringify({ msg: body, status, took, user: { id: took % 1000 } });
    const objects = encoded((millions * million) / 10, endTime, totalNs, json, 'json');
    await send(`${signalbox.otlpHttp}/v1/logs`, objects, { connections: 64 });
    await processIdle(signalbox.pid);
    report(`logql-${millions}M`, await latencies(signalbox, endTime));
    await besideIngest(signalbox, sent, endTime);
  } finally {
    await signalbox.dispose();
  }
}

type Body = (body: string, status: number, took: number) => string;

function encoded(records: number, endTime: bigint, spreadNs: bigint, bodyOf: Body, service?: string) {
  const intervalNs = Number(spreadNs) / records;
  const startTime = endTime - spreadNs;
  return Array.from(logRequests({ seed: 11, records, startTime, intervalNs, perRequest: 512 }), (request) =>
    encodeLogRequest({
      resource: service === undefined ? request.resource : [{ key: 'service.name', type: 'string', value: service }],
      records: request.records.map((record, index) => ({
        ...record,
        body: bodyOf(record.body, record.severityNumber === 17 ? 500 : 200, (index * 7919) % 1000),
      })),
    }),
  );
}

type Question = {
  readonly path: string;
  readonly parameters: (turn: number, endTime: bigint) => Record<string, string>;
};

const range = (endTime: bigint) => ({ start: String(endTime - totalNs), end: String(endTime) });

const questions: Readonly<Record<string, Question>> = {
  'a word that few lines have': lines((turn) => `{service_name=~".+"} |= "/${99_000 + turn * 83} in "`),
  'the beginning of a word that few lines have': lines(
    (turn) => `{service_name=~".+"} |= "request_id=${(turn * 7919 + 104_729).toString(16)}"`,
  ),
  'two words inside of a text': lines(() => '{service_name="checkout"} |= " declined by issuer "'),
  'a rare substring': lines(
    (turn) => `{service_name=~".+"} |= "${((turn + 1) * 0x1f3d5b79).toString(16).slice(0, 7)}"`,
  ),
  'newest 100 lines of a selector': lines(() => '{service_name="checkout"}'),
  'count_over_time by level, six hours': metric(
    () => 'sum by (detected_level) (count_over_time({service_name=~".+"}[5m]))',
  ),
  'rate by service of lines with a word': metric(
    () => 'sum by (service_name) (rate({service_name=~".+"} |= "timeout" [5m]))',
  ),
  'lines of json, a field compared that few fulfil': lines(() => '{service_name="json"} | json | took > 998'),
  'json, a field compared, six hours': metric(
    () => 'sum(count_over_time({service_name="json"} | json | status > 400 [5m]))',
  ),
  'quantile of a field of json, six hours': metric(
    () => 'quantile_over_time(0.9, {service_name="json"} | json | unwrap took [5m]) by (status)',
  ),
};

function lines(query: (turn: number) => string): Question {
  return {
    path: 'query_range',
    parameters: (turn, endTime) => ({ query: query(turn), limit: '100', ...range(endTime) }),
  };
}

function metric(query: (turn: number) => string): Question {
  return {
    path: 'query_range',
    parameters: (turn, endTime) => ({ query: query(turn), step: '300', ...range(endTime) }),
  };
}

async function latencies(signalbox: Signalbox, endTime: bigint): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, question] of Object.entries(questions)) {
    const times: number[] = [];
    const cpu: number[] = [];
    try {
      for (let turn = 0; turn <= repeats; turn++) {
        const before = processUsage(signalbox.pid).cpuSeconds;
        times.push(await ask(signalbox, question, turn, endTime));
        cpu.push((processUsage(signalbox.pid).cpuSeconds - before) * 1000);
      }
      const [first = Number.NaN, ...later] = times;
      rows.push({
        what,
        'first, ms': first,
        'median, ms': median(later),
        'CPU, ms': median(cpu.slice(1)),
        'slowest, ms': Math.max(...later),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 100) : String(error);
      rows.push({ what: `${what}: ${reason}`, 'first, ms': '', 'median, ms': '', 'CPU, ms': '', 'slowest, ms': '' });
    }
  }
  return rows;
}

async function ask(
  signalbox: Signalbox,
  { path, parameters }: Question,
  turn: number,
  endTime: bigint,
): Promise<number> {
  const from = performance.now();
  const url = `${signalbox.page}/loki/api/v1/${path}?${new URLSearchParams(parameters(turn, endTime))}`;
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return performance.now() - from;
}

/** Some questions alone, and while lines come in half as fast as they did before. */
async function besideIngest(signalbox: Signalbox, loaded: SendResult, endTime: bigint): Promise<void> {
  const asked = [
    'a word that few lines have',
    'newest 100 lines of a selector',
    'count_over_time by level, six hours',
  ] as const;
  const pace = Math.round(loaded.records / loaded.seconds / 2);
  // Each time other words: what was looked for before, the engine knows.
  const ask40 = async (firstTurn: number): Promise<number[][]> => {
    const all: number[][] = [];
    for (const what of asked) {
      const times: number[] = [];
      for (let turn = firstTurn; turn < firstTurn + 40; turn++)
        times.push(await ask(signalbox, questions[what] as Question, turn, endTime));
      all.push(times.sort((a, b) => a - b));
    }
    return all;
  };
  const alone = await ask40(100);
  const load = { url: `${signalbox.otlpHttp}/v1/logs`, signal: 'logs', pace } as const;
  const { result: beside, sent } = await sendBeside(load, () => ask40(200));
  const rows = asked.map((what, index) => ({
    what,
    'p95 alone, ms': percentile(alone[index] ?? [], 0.95),
    [`p50 beside ${pace} lines/s, ms`]: percentile(beside[index] ?? [], 0.5),
    'p95 beside, ms': percentile(beside[index] ?? [], 0.95),
  }));
  report('logql-beside-ingest', rows);
  report('acknowledged-beside-questions', [acknowledged(sent)]);
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
