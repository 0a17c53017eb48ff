import { type EncodedRequest, encodeLogRequest, encodeSpanRequest, shiftRequest } from '../workload/encode-otlp.ts';
import { logRequests } from '../workload/logs.ts';
import { spanRequests } from '../workload/spans.ts';

const million = 1_000_000;
/** A million spans take two hours. */
const traceIntervalNs = 71_000_000;
const hourNs = 3_600_000_000_000n;

/** `spans` spans in requests of 512, encoded before anything is measured; the last trace lies a minute back. */
export function encodedSpans(spans: number, endTime: bigint, seed = 7): EncodedRequest[] {
  const startTime = endTime - (hourNs * 2n * BigInt(Math.round(spans))) / BigInt(million);
  return [...spanRequests({ seed, spans, startTime, traceIntervalNs, requestSpans: 512 })].map(encodeSpanRequest);
}

export function encodedLogs(records: number, endTime: bigint): EncodedRequest[] {
  const startTime = endTime - (hourNs * 2n * BigInt(records)) / BigInt(million);
  return [...logRequests({ seed: 11, records, startTime, intervalNs: 7_200_000, perRequest: 512 })].map(
    encodeLogRequest,
  );
}

/** The requests `copies` times: each time two hours earlier than the time before, as other traces. */
export function* copiesOf(requests: EncodedRequest[], copies: number): Generator<EncodedRequest> {
  for (let copy = 0; copy < copies; copy++) {
    for (const request of requests) {
      if (copy > 0) shiftRequest(request, -2n * hourNs, copy ^ (copy - 1));
      yield request;
    }
  }
}

export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
