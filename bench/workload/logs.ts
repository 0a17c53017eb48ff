import { Random } from './random.ts';
import { type Attribute, resourceOf, services } from './services.ts';

export interface LogRecord {
  /** Nanoseconds since the epoch. */
  time: bigint;
  severityNumber: number;
  severityText: string;
  body: string;
  attributes: Attribute[];
  traceId: string;
  spanId: string;
}

export interface LogRequest {
  resource: Attribute[];
  records: LogRecord[];
}

const messages = [
  'request completed',
  'cache miss for key product',
  'connection reset by peer while reading response from upstream',
  'payment declined by issuer',
  'order accepted',
  'user logged in',
  'slow query took longer than threshold',
  'worker started processing batch',
  'retrying request after timeout',
];

/** Log lines of the services of spans.ts, `perRequest` a request, `intervalNs` apart. */
export function* logRequests(options: {
  seed: number;
  records: number;
  startTime: bigint;
  intervalNs: number;
  perRequest: number;
}): Generator<LogRequest> {
  const random = new Random(options.seed);
  let time = options.startTime;
  for (let made = 0; made < options.records; ) {
    const service = random.pick(services);
    const count = Math.min(options.perRequest, options.records - made);
    made += count;
    const records = Array.from({ length: count }, (): LogRecord => {
      time += BigInt(Math.round(options.intervalNs * (0.5 + random.next())));
      const failed = random.chance(0.03);
      return {
        time,
        severityNumber: failed ? 17 : 9,
        severityText: failed ? 'ERROR' : 'INFO',
        body: `${messages[random.skewed(messages.length)]} /v1/${service}/${random.skewed(100_000)} in ${random.integer(900)}ms request_id=${random.hex(8)}`,
        attributes: [
          { key: 'app.tenant', type: 'string', value: `tenant-${random.skewed(300)}` },
          { key: 'http.response.status_code', type: 'int', value: failed ? 500 : 200 },
          { key: 'duration_ms', type: 'double', value: random.logNormal(20, 1) },
        ],
        traceId: random.hex(16),
        spanId: random.hex(8),
      };
    });
    yield { resource: resourceOf(service, random.integer(3)), records };
  }
}
