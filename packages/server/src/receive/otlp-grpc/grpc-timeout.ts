const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Longer waits than Node's timers know are no limit in practice. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Milliseconds that a `grpc-timeout` header grants (gRPC over HTTP/2, "Timeout"): Infinity without one, NaN for a header
 * that is not of the form "at most eight digits and a unit".
 */
export function parseGrpcTimeout(header: string | undefined): number {
  if (header === undefined) {
    return Number.POSITIVE_INFINITY;
  }
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    return Number.NaN;
  }
  return Math.min(Math.ceil(Number(match[1]) * unit), MAX_TIMER_MS);
}
