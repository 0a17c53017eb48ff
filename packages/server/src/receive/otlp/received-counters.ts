export type OtlpSignal = 'traces' | 'metrics' | 'logs';

/** Since start, for one signal: spans, metric points or log records. */
export interface ReceivedCount {
  /** Acknowledged as durable. */
  accepted: number;
  /** Refused for good inside requests that were otherwise accepted, or with the whole of their request. */
  rejected: number;
  /** Requests refused as a whole, retryable or not: those that could not be read have no records to count. */
  refusedRequests: number;
}

export type ReceivedCounters = Record<OtlpSignal, ReceivedCount>;

export function receivedCounters(): ReceivedCounters {
  const zero = () => ({ accepted: 0, rejected: 0, refusedRequests: 0 });
  return { traces: zero(), metrics: zero(), logs: zero() };
}
