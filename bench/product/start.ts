import { report } from './report.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { dense, encodedSpans, nowNs } from './workload.ts';

const rounds = 5;

/** From the start of the process until it takes data: on a folder that is not there yet, and on one with a million spans. */
export async function start(): Promise<void> {
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const signalbox = await new Signalbox().start();
    empty.push(signalbox.readyMs);
    await signalbox.dispose();
  }
  const filled: number[] = [];
  const signalbox = await new Signalbox().start();
  try {
    await send(`${signalbox.otlpHttp}/v1/traces`, encodedSpans(1_000_000, nowNs(), dense), { connections: 4 });
    for (let round = 0; round < rounds; round++) {
      await signalbox.stop();
      await signalbox.start();
      filled.push(signalbox.readyMs);
    }
  } finally {
    await signalbox.dispose();
  }
  const row = (what: string, times: number[]) => {
    times.sort((a, b) => a - b);
    return { what, 'median, ms': percentile(times, 0.5), 'slowest, ms': times.at(-1) ?? Number.NaN };
  };
  report('start', [row('an empty folder', empty), row('a million spans', filled)]);
}
