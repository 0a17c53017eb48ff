import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Row } from './report.ts';
import { percentile, type SendResult } from './sender.ts';

export interface SteadyLoad {
  /** Of the OTLP/HTTP endpoint, path included. */
  url: string;
  signal: 'traces' | 'logs' | 'metrics';
  /** Records per second. */
  pace: number;
}

const settleMs = 5_000;

/**
 * Runs `work` while records come in at an even pace, from a process of their own: one that both sends and asks makes its own questions
 * wait. `work` begins some seconds after the sending, so that merges are under way.
 */
export async function sendBeside<Result>(
  load: SteadyLoad,
  work: () => Promise<Result>,
): Promise<{ result: Result; sent: SendResult }> {
  const program = join(import.meta.dirname, 'steady-sender.ts');
  const child = fork(program, [JSON.stringify(load)], { execArgv: ['--import', 'tsx'] });
  try {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`The sender ended with ${code}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    const answer = once(child, 'message');
    child.send('go');
    await Promise.race([new Promise((resolve) => setTimeout(resolve, settleMs)), ended]);
    const result = await Promise.race([work(), ended]);
    child.send('stop');
    const [{ error, sent }] = (await Promise.race([answer, ended])) as [{ error?: string; sent?: SendResult }];
    if (sent === undefined) throw new Error(error);
    return { result, sent };
  } finally {
    child.kill();
  }
}

/** What became of the records that came in beside the questions. */
export function acknowledged({ records, seconds, latencies }: SendResult): Row {
  return {
    'records/s': Math.round(records / seconds),
    'p50, ms': percentile(latencies, 0.5),
    'p99, ms': percentile(latencies, 0.99),
  };
}
