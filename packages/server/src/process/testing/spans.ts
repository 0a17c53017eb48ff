import { decodeTraces } from '@signalbox/otlp';
import type { SpanBatch } from '@signalbox/records';
import type { ConsumeResult, Consumer } from '../../pipeline/consumer.ts';

export interface TestSpan {
  readonly service?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  /** Numbers of OTLP. */
  readonly kind?: number;
  /** Nanoseconds. */
  readonly start?: bigint;
  /** Nanoseconds. */
  readonly duration?: bigint;
  readonly error?: boolean;
  readonly traceState?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

const TRACE = '5b8efff798038103d269b633813fc60c';
export const START_SECONDS = 1_760_000_000;

/** A batch of the spans, as a request of several services brings it. */
export function spanBatch(...spans: TestSpan[]): SpanBatch {
  const resourceSpans = spans.map((span) => {
    const start = span.start ?? BigInt(START_SECONDS) * 1_000_000_000n;
    const service = { key: 'service.name', value: { stringValue: span.service ?? 'shop' } };
    return {
      scopeSpans: [
        {
          spans: [
            {
              traceId: span.traceId ?? TRACE,
              spanId: span.spanId ?? 'eee19b7ec3c1b174',
              parentSpanId: span.parentSpanId ?? '',
              name: span.name ?? 'GET /',
              kind: span.kind ?? 2,
              startTimeUnixNano: String(start),
              endTimeUnixNano: String(start + (span.duration ?? 1_000_000n)),
              traceState: span.traceState ?? '',
              status: { code: span.error ? 2 : 0 },
              attributes: Object.entries(span.attributes ?? {}).map(([key, value]) => ({
                key,
                value: { stringValue: value },
              })),
            },
          ],
        },
      ],
      resource: { attributes: [service] },
    };
  });
  return decodeTraces(Buffer.from(JSON.stringify({ resourceSpans })), 'json').batch;
}

/** Keeps the rows it is given; refuses, as the store does, when the sender is gone already. */
export class RowCollector<Row> implements Consumer<readonly Row[]> {
  readonly rows: Row[] = [];
  /** Rows of each call. */
  readonly sizes: number[] = [];
  error: Error | null = null;

  async consume(rows: readonly Row[], signal?: AbortSignal): Promise<ConsumeResult> {
    signal?.throwIfAborted();
    if (this.error !== null) {
      throw this.error;
    }
    this.sizes.push(rows.length);
    this.rows.push(...rows);
    return { rejected: 0, reason: '' };
  }
}
