import { type EncodedRequest, encodeLogRequest, encodeSpanRequest, shiftRequest } from '../workload/encode-otlp.ts';
import { logRequests } from '../workload/logs.ts';
import { spanRequests } from '../workload/spans.ts';

const million = 1_000_000;
/** One trace in about ten spans. */
const spansPerTrace = 9.87;

export interface SpanLoad {
  seed: number;
  /** Nanoseconds between the first trace and the last of a million spans: how dense they lie in the store. */
  nsPerMillion: bigint;
}

export const minuteNs = 60_000_000_000n;
/** 1,700 spans a second: what many spans at once mean to the aggregates over time. */
export const dense: SpanLoad = { seed: 7, nsPerMillion: 10n * minuteNs };
/** 140 spans a second: days of it can be searched. */
export const sparse: SpanLoad = { seed: 7, nsPerMillion: 120n * minuteNs };

/** Before now, so that what comes in while questions are asked lies behind what they ask about: it would be more that they look at. */
export const besideNs = 30n * minuteNs;

/** `spans` spans in requests of 512, encoded before anything is measured; the last trace starts at `endTime`. */
export function encodedSpans(spans: number, endTime: bigint, { seed, nsPerMillion }: SpanLoad): EncodedRequest[] {
  const startTime = endTime - (nsPerMillion * BigInt(Math.round(spans))) / BigInt(million);
  const traceIntervalNs = (Number(nsPerMillion) / million) * spansPerTrace;
  return [...spanRequests({ seed, spans, startTime, traceIntervalNs, requestSpans: 512 })].map(encodeSpanRequest);
}

/** `records` log records in requests of 512, two hours a million. */
export function encodedLogs(
  records: number,
  endTime: bigint,
  { nsPerMillion }: Pick<SpanLoad, 'nsPerMillion'> = sparse,
): EncodedRequest[] {
  const startTime = endTime - (nsPerMillion * BigInt(Math.round(records))) / BigInt(million);
  const options = { seed: 11, records, startTime, intervalNs: Number(nsPerMillion) / million, perRequest: 512 };
  return [...logRequests(options)].map(encodeLogRequest);
}

/** The requests `copies` times: each time `shiftNs` earlier than the time before, as other traces. */
export function* copiesOf(requests: EncodedRequest[], copies: number, shiftNs: bigint): Generator<EncodedRequest> {
  for (let copy = 0; copy < copies; copy++) {
    for (const request of requests) {
      if (copy > 0) shiftRequest(request, -shiftNs, copy ^ (copy - 1));
      yield request;
    }
  }
}

export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
