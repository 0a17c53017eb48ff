// The process that `sendBeside` forks: prepares a minute of records, says that it is ready, and sends them over and over from `go` to `stop`.
import type { EncodedRequest } from '../workload/encode-otlp.ts';
import { metricRequests } from '../workload/metrics.ts';
import type { SteadyLoad } from './send-beside.ts';
import { send } from './sender.ts';
import { dense, encodedLogs, encodedSpans, nowNs } from './workload.ts';

const { url, signal, pace } = JSON.parse(process.argv[2] ?? '{}') as SteadyLoad;
const secondNs = 1_000_000_000n;
const most = 1_500_000;

function minuteOf(): Iterable<EncodedRequest> {
  const records = Math.min(most, pace * 60);
  const load = { ...dense, seed: 300 };
  if (signal === 'traces') return encodedSpans(records, nowNs(), load);
  if (signal === 'logs') return encodedLogs(records, nowNs(), load);
  // A series has no point twice: these are made as they are sent.
  const points = Number.POSITIVE_INFINITY;
  return metricRequests({ series: 5_000, points, startTime: nowNs(), stepNs: secondNs, name: 'arriving' });
}

const requests = minuteOf();
let stopped = false;

function* forever(): Generator<EncodedRequest> {
  while (!stopped) {
    for (const request of requests) {
      if (stopped) return;
      yield request;
    }
  }
}

process.on('disconnect', () => process.exit(1));
process.on('message', (message) => {
  if (message === 'stop') stopped = true;
  else void send(url, forever(), { connections: 64, recordsPerSecond: pace }).then(tell, tell);
});
process.send?.('ready');

function tell(result: unknown): void {
  const message = result instanceof Error ? { error: result.message } : { sent: result };
  process.send?.(message, () => process.exit());
}
