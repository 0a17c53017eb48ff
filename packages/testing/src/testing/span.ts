import type { RecordedSpan } from '../recorded-span.ts';

/** Milliseconds after the start of the trace, for readable tests. */
export interface SpanParts extends Partial<Omit<RecordedSpan, 'startTime' | 'endTime' | 'durationMillis'>> {
  readonly from?: number;
  readonly to?: number;
}

const START = 1_800_000_000_000_000_000n;

/** A span made by hand; its id is its name unless given. */
export function span({ from = 0, to = from + 1, ...parts }: SpanParts): RecordedSpan {
  const name = parts.name ?? 'span';
  return {
    traceId: 'a'.repeat(32),
    spanId: name,
    parentSpanId: undefined,
    traceState: '',
    name,
    kind: 'internal',
    status: { code: 'unset', message: '' },
    attributes: {},
    events: [],
    links: [],
    scope: { name: 'test', version: '' },
    resource: {},
    ...parts,
    startTime: START + BigInt(Math.round(from * 1e6)),
    endTime: START + BigInt(Math.round(to * 1e6)),
    durationMillis: to - from,
  };
}
