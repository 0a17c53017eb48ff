import type { LogRecord, Severity } from '@signalbox/api-contract';
import { Random } from './random.ts';
import { attributes, bool, int, resourceOf, services, text } from './traces.ts';

export const logCount = 100_000;
/** The newest is record 0; the oldest lies six hours back. */
const spanMs = 6 * 3600e3;

const bodies: [Severity, string][] = [
  ['INFO', 'request'],
  ['INFO', 'request'],
  ['INFO', 'request'],
  ['INFO', 'order accepted'],
  ['DEBUG', 'cache lookup'],
  ['DEBUG', 'acquired connection from pool'],
  ['INFO', 'stock reserved'],
  ['WARN', 'GitHub rate limit is getting low'],
  ['WARN', 'slow query'],
  ['ERROR', 'payment failed: gateway answered 502 Bad Gateway'],
  ['INFO', 'mail sent'],
  ['TRACE', 'tick'],
];
const numbers: Record<Severity, number> = {
  UNSPECIFIED: 0,
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};

export function logTimeMs(index: number, nowMs: number): number {
  return nowMs - (index / logCount) * spanMs;
}

/** The record at a place in the list, the same every time. */
export function makeLog(
  index: number,
  timeMs: number,
  traceIds: readonly { traceId: string; spanId: string }[],
): LogRecord {
  const random = new Random(index * 7 + 3);
  // Errors come in bursts, as they do.
  const burst = Math.sin(index / 2600) > 0.92;
  const [severity, body] =
    burst && random.chance(0.4)
      ? (['ERROR', 'payment failed: gateway answered 502 Bad Gateway'] as const)
      : random.pick(bodies);
  const kept =
    severity === 'ERROR' && !burst && random.chance(0.8) ? (['INFO', 'request'] as const) : ([severity, body] as const);
  const service = random.pick(services);
  const linked = kept[0] !== 'TRACE' && random.chance(0.7) ? random.pick(traceIds) : undefined;
  const record: LogRecord = {
    id: `log-${index}`,
    timeUnixNano: `${BigInt(Math.round(timeMs)) * 1_000_000n + BigInt(index % 1_000_000)}`,
    observedTimeUnixNano: `${BigInt(Math.round(timeMs + 1)) * 1_000_000n}`,
    severity: kept[0],
    severityNumber: numbers[kept[0]],
    severityText: kept[0] === 'INFO' ? 'INFO' : kept[0].toLowerCase(),
    service,
    body: text(kept[1]),
    eventName: '',
    traceId: linked?.traceId ?? '',
    spanId: linked?.spanId ?? '',
    attributes:
      kept[1] === 'request'
        ? attributes({
            method: text('GET'),
            route: text(random.pick(['/api/github/pulls', '/api/github/issues', '/search', '/checkout'])),
            status: int(random.pick([200, 200, 200, 304, 404])),
            latency_ms: int(Math.round(random.latency(24))),
            cache_hit: bool(random.chance(0.6)),
            bytes: int(random.int(200, 48_000)),
          })
        : attributes({ attempt: int(random.int(1, 3)), 'user.id': text(`u-${random.int(1, 400)}`) }),
    resourceAttributes: resourceOf(service),
    scope: { name: 'pino', version: '10.1.0' },
  };
  if (kept[0] === 'ERROR')
    record.attributes.push(
      ...attributes({
        'exception.type': text('UpstreamError'),
        'exception.message': text('gateway answered 502 Bad Gateway'),
        'exception.stacktrace': text(
          'UpstreamError: gateway answered 502 Bad Gateway\n    at GatewayClient.post (/app/src/payments/gateway-client.ts:57:11)\n    at async authorize (/app/src/payments/authorize.ts:80:20)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
        ),
      }),
    );
  return record;
}
