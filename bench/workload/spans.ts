import { Random } from './random.ts';
import { type Attribute, entries, type Operation, operations, resourceOf, services } from './services.ts';

export interface Span {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  name: string;
  kind: number;
  scope: string;
  /** Nanoseconds since the epoch. */
  startTime: bigint;
  durationNs: number;
  attributes: Attribute[];
  /** 0 unset, 2 error. */
  statusCode: number;
  exception: { timeOffsetNs: number; type: string; message: string; stacktrace: string } | null;
}

/** What one service's exporter sends at once. */
export interface SpanRequest {
  resource: Attribute[];
  service: string;
  spans: Span[];
}

export interface SpanOptions {
  seed: number;
  /** Spans over all requests; the last requests may be short. */
  spans: number;
  /** Nanoseconds since the epoch of the first trace. */
  startTime: bigint;
  /** Nanoseconds between two traces. */
  traceIntervalNs: number;
  /** Spans in a request: the SDK's batch processor sends 512. */
  requestSpans: number;
}

const podsPerService = 3;
const failureRate = 0.03;
const exceptions = [
  ['TimeoutError', 'The operation was aborted due to timeout'],
  ['ConnectionResetError', 'read ECONNRESET'],
  ['TypeError', "Cannot read properties of undefined (reading 'price')"],
] as const;

/**
 * Traces of a small shop as its services' exporters would send them: a trace's spans are spread over the requests of
 * the services it passed, each request holding spans of many traces.
 */
export function* spanRequests(options: SpanOptions): Generator<SpanRequest> {
  const random = new Random(options.seed);
  const pending = new Map<string, Span[]>();
  const resources = new Map<string, Attribute[]>(
    services.flatMap((service) =>
      Array.from({ length: podsPerService }, (_, pod) => [`${service}/${pod}`, resourceOf(service, pod)] as const),
    ),
  );
  let made = 0;
  let time = options.startTime;
  const take = (pod: string): SpanRequest => {
    const spans = pending.get(pod) ?? [];
    pending.delete(pod);
    return { resource: resources.get(pod) ?? [], service: pod.slice(0, pod.indexOf('/')), spans };
  };
  while (made < options.spans) {
    time += BigInt(Math.round(options.traceIntervalNs * (0.5 + random.next())));
    const full: string[] = [];
    const pod = random.integer(podsPerService);
    made += trace(random, time, (service, span) => {
      const key = `${service}/${pod}`;
      const spans = pending.get(key);
      if (spans === undefined) pending.set(key, [span]);
      else if (spans.push(span) === options.requestSpans) full.push(key);
    });
    for (const key of full) yield take(key);
  }
  for (const key of [...pending.keys()]) yield take(key);
}

function trace(random: Random, time: bigint, emit: (service: string, span: Span) => void): number {
  const traceId = random.hex(16);
  const entry = random.chance(0.6) ? entries[0] : random.chance(0.6) ? entries[1] : entries[2];
  let count = 0;
  const visit = (operation: Operation, parentSpanId: string, start: bigint): number => {
    count++;
    const failed = random.chance(failureRate);
    const span: Span = {
      traceId,
      spanId: random.hex(8),
      parentSpanId,
      name: operation.name,
      kind: operation.kind,
      scope: operation.scope,
      startTime: start,
      durationNs: 0,
      attributes: operation.attributes(random, failed),
      statusCode: failed ? 2 : 0,
      exception: null,
    };
    const own = random.logNormal(operation.median, 0.7);
    let elapsed = own * 0.4;
    for (const call of operation.calls) {
      if (!random.chance(call.chance)) continue;
      const callee = operations.get(call.operation);
      if (callee === undefined) throw new Error(`the workload calls an unknown operation ${call.operation}`);
      const times = 1 + (call.most === undefined ? 0 : random.integer(call.most));
      for (let i = 0; i < times; i++) elapsed += visit(callee, span.spanId, start + BigInt(Math.round(elapsed)));
    }
    span.durationNs = Math.round(elapsed + own * 0.6);
    if (failed) span.exception = exceptionOf(random, operation, span.durationNs);
    emit(operation.service, span);
    return span.durationNs;
  };
  visit(operations.get(entry as string) as Operation, '', time);
  return count;
}

function exceptionOf(random: Random, operation: Operation, durationNs: number): NonNullable<Span['exception']> {
  const [type, message] = random.pick(exceptions);
  const frames = Array.from(
    { length: 8 },
    (_, i) =>
      `    at ${operation.name.replaceAll(/\W/g, '_')}${i} (/app/src/${operation.service}/step-${i}.js:${100 + i}:${random.integer(80)})`,
  );
  return { timeOffsetNs: durationNs, type, message, stacktrace: `${type}: ${message}\n${frames.join('\n')}` };
}
