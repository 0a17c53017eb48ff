/** What became of one request. `retryable` as https://opentelemetry.io/docs/specs/otlp/#failures defines it. */
export type RequestOutcome =
  | { readonly kind: 'accepted'; readonly body: Buffer }
  | { readonly kind: 'refused'; readonly problem: string; readonly advice: string }
  | {
      readonly kind: 'retryable';
      readonly problem: string;
      readonly advice: string;
      readonly retryAfterMillis?: number;
      /** Nothing listens there: trying again within milliseconds is pointless. */
      readonly unreachable: boolean;
    };

/** Sends the requests of one signal to one destination, over connections that never keep the process alive. */
export interface OtlpTransport {
  /** Settles within the destination's timeout; never rejects. */
  post(body: Uint8Array, gzipped: boolean): Promise<RequestOutcome>;
  destroy(): void;
}

export const maxResponseBytes = 4 * 1024 * 1024;
export const retryAdvice = 'It is retried, and dropped if that goes on for a minute.';

/** What a failed connection means, whatever was to be spoken over it. */
export function networkFailure(error: NodeJS.ErrnoException, url: string): RequestOutcome {
  const code = error.code ?? '';
  if (/CERT|UNABLE_TO_|ERR_TLS/.test(code)) {
    const advice = 'Name the certificate that signed it in OTEL_EXPORTER_OTLP_CERTIFICATE.';
    return { kind: 'refused', problem: `its certificate is not trusted (${code})`, advice };
  }
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return { kind: 'refused', problem: 'it does not speak TLS', advice: 'Use http:// in OTEL_EXPORTER_OTLP_ENDPOINT.' };
  }
  const unreachable =
    code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH';
  const advice = unreachable
    ? `Start a collector there (npx signalbox), or set OTEL_EXPORTER_OTLP_ENDPOINT (now ${new URL(url).origin}). It is retried for a minute, then dropped.`
    : retryAdvice;
  return { kind: 'retryable', problem: code || error.message, advice, unreachable };
}
