import { type Context, context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Instruments } from '../telemetry/instruments.ts';
import type { Reply } from './reply.ts';

/** A request that is being answered. */
export interface Observation {
  method: string;
  route: string;
  /** `performance.now()` when it arrived. */
  started: number;
  /** The context it arrived in, whose span is the server span. */
  context: Context;
}

/** What must be on the span before it ends: to be called before the reply is written. */
export function describeReply({ context: at }: Observation, reply: Reply): void {
  const span = trace.getSpan(at);
  if (!span) return;
  span.setAttributes({
    'chimney.cache_hit': reply.cache?.hit ?? false,
    'chimney.cache_tier': reply.cache?.tier ?? 'none',
  });
  if (reply.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: reply.failure ?? `${reply.status}` });
}

/** Counts and logs a completed request, in its own context: so the log record carries its ids, and the histogram an exemplar. */
export function recordCompletion(
  telemetry: { log: Logger; instruments: Instruments },
  { method, route, started, context: at }: Observation,
  reply: Reply,
): void {
  const latency = performance.now() - started;
  const { requests, requestDuration } = telemetry.instruments;
  requests.add(1, { route, status_class: `${Math.floor(reply.status / 100)}xx` }, at);
  requestDuration.record(latency, { route }, at);
  context.with(at, () => {
    telemetry.log.info(
      {
        method,
        route,
        status: reply.status,
        latency_ms: Math.round(latency),
        cache_hit: reply.cache?.hit ?? false,
        cache_tier: reply.cache?.tier ?? 'none',
        bytes: reply.body.length,
      },
      'request',
    );
  });
}
