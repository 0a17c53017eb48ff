import { Agent, request } from 'node:http';
import { processUsage } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { copiesOf, dense, encodedSpans, nowNs } from './workload.ts';

export interface OverloadOptions {
  /** How long it is overloaded. */
  seconds: number;
  /** Connections that send without waiting after a refusal. */
  connections: number;
}

const MAX_RECOVERY_MS = 60_000;

interface Outcome {
  status: number;
  retryAfter: string | undefined;
  ms: number;
}

/**
 * More than it can take, from many connections at once. What is acknowledged must be stored, what is not must be refused with a
 * time to wait, memory must stay bounded, and afterwards it must answer as before. Throws when something acknowledged is missing.
 */
export async function overload(options: OverloadOptions): Promise<void> {
  const signalbox = await new Signalbox().start();
  const url = new URL(`${signalbox.otlpHttp}/v1/traces`);
  try {
    const requests = encodedSpans(100_000, nowNs(), dense);
    const usual = await send(url.href, requests, { connections: 64 });
    const before = await storedSpans(signalbox);
    const endAt = performance.now() + options.seconds * 1_000;
    const outcomes: Outcome[] = [];
    let accepted = 0;
    let offered = 0;
    const endless = copiesOf(requests, Number.MAX_SAFE_INTEGER, dense.nsPerMillion / 10n);
    const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
    const connection = async () => {
      while (performance.now() < endAt) {
        const { value } = endless.next();
        offered += value.records;
        const outcome = await attempt(agent, url, Buffer.from(value.body));
        outcomes.push(outcome);
        if (outcome.status === 200) accepted += value.records;
      }
    };
    await Promise.all(Array.from({ length: options.connections }, connection));
    const overloadedUntil = performance.now();
    // One request at a time, until one is answered as fast as the usual ones.
    const patience = percentile(usual.latencies, 0.99);
    for (let answered = false; !answered; ) {
      if (performance.now() - overloadedUntil > MAX_RECOVERY_MS) {
        throw new Error(`${MAX_RECOVERY_MS} ms after the overload no request is answered as before`);
      }
      const { value } = endless.next();
      const outcome = await attempt(agent, url, Buffer.from(value.body));
      if (outcome.status === 200) accepted += value.records;
      answered = outcome.status === 200 && outcome.ms <= patience;
    }
    const recoveredMs = performance.now() - overloadedUntil;
    agent.destroy();
    const stored = (await storedSpans(signalbox)) - before;
    if (stored < accepted) throw new Error(`${accepted - stored} acknowledged spans are not stored`);
    const refused = outcomes.filter(({ status }) => status === 429 || status === 503);
    const hintless = refused.filter(({ retryAfter }) => !(Number(retryAfter) > 0)).length;
    const other = outcomes.length - refused.length - outcomes.filter(({ status }) => status === 200).length;
    const perSecond = (records: number) => records / options.seconds;
    const row: Row = {
      what: `${options.connections} connections for ${options.seconds} s`,
      'usual spans/s': usual.records / usual.seconds,
      'offered spans/s': perSecond(offered),
      'acknowledged spans/s': perSecond(accepted),
      'requests refused': refused.length,
      'without a time to wait': hintless,
      'failed otherwise': other,
      'stored, not acknowledged': stored - accepted,
      'peak RSS, MB': processUsage(signalbox.pid).peakRssBytes / 1e6,
      'usual again after, ms': recoveredMs,
    };
    report('overload', [row]);
  } finally {
    await signalbox.dispose();
  }
}

async function storedSpans(signalbox: Signalbox): Promise<number> {
  const { store } = await signalbox.api<{ store: { signals: { spans: { rows: number } } } }>('status');
  return store.signals.spans.rows;
}

/** Sends and says what came back; status 0: the connection broke. */
function attempt(agent: Agent, url: URL, body: Buffer): Promise<Outcome> {
  const from = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, retryAfter?: string) => resolve({ status, retryAfter, ms: performance.now() - from });
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => done(response.statusCode ?? 0, response.headers['retry-after']));
      response.once('error', () => done(0));
    });
    call.once('error', () => done(0));
    call.end(body);
  });
}
