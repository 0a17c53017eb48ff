import { Agent, request } from 'node:http';
import type { EncodedRequest } from '../workload/encode-otlp.ts';

export interface SendResult {
  seconds: number;
  records: number;
  /** Milliseconds from the first byte sent to the answer, of each request, sorted. */
  latencies: number[];
}

/**
 * Sends the requests over `connections` kept-alive connections, each waiting for its answer before it sends the next.
 * With `recordsPerSecond` requests start at that pace and their latency counts from when they were due.
 * Throws on any answer but 200: a benchmark in which something was refused measures nothing.
 */
export async function send(
  url: string,
  requests: Iterable<EncodedRequest>,
  options: { connections: number; recordsPerSecond?: number },
): Promise<SendResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const target = new URL(url);
  const iterator = requests[Symbol.iterator]();
  const latencies: number[] = [];
  let records = 0;
  const startedAt = performance.now();
  const connection = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      let from = performance.now();
      if (options.recordsPerSecond !== undefined) {
        const due = startedAt + (records * 1000) / options.recordsPerSecond;
        records += next.value.records;
        if (due > from) await new Promise((resolve) => setTimeout(resolve, due - from));
        from = due;
      } else records += next.value.records;
      await post(agent, target, next.value.body);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, connection));
  agent.destroy();
  return { seconds: (performance.now() - startedAt) / 1000, records, latencies: latencies.sort((a, b) => a - b) };
}

/** Bytes of a message of which field 1 is an empty message. */
const EMPTY_PARTIAL_SUCCESS = 2;

function post(agent: Agent, target: URL, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      target,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          // An answer with more than an empty partial_success says that something was refused.
          if (response.statusCode === 200 && Buffer.concat(chunks).length <= EMPTY_PARTIAL_SUCCESS) resolve();
          else reject(new Error(`${response.statusCode}: ${Buffer.concat(chunks).toString('latin1')}`));
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
