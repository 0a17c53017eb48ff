import type { Span } from '@signalbox/api-contract';

/** A span for tests; milliseconds from some instant of 2025. */
export function makeSpan(
  spanId: string,
  parentSpanId: string,
  startMs: number,
  endMs: number,
  more: Partial<Span> = {},
): Span {
  const base = 1_764_000_000_000_000_000n;
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId,
    parentSpanId,
    traceState: '',
    name: spanId,
    kind: 'INTERNAL',
    service: 'shop',
    startTimeUnixNano: String(base + BigInt(startMs * 1e6)),
    endTimeUnixNano: String(base + BigInt(endMs * 1e6)),
    durationNano: (endMs - startMs) * 1e6,
    status: { code: 'UNSET', message: '' },
    attributes: [],
    events: [],
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource: 0,
    scope: 0,
    ...more,
  };
}
