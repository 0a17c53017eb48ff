import type { ServerTls } from '../../config/tls-settings.ts';
import type { ServerAuthenticator } from '../../pipeline/extension.ts';
import type { OtlpSignal } from '../otlp/received-counters.ts';

/** Where OTLP/HTTP listens and how patient it is. */
export interface OtlpHttpOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What decides the address, for error messages. */
  readonly place?: string;
  /** Where each signal is taken; no two are the same. */
  readonly paths?: Readonly<Record<OtlpSignal, string>>;
  /** Encrypts; null: plaintext. */
  readonly tls?: ServerTls | null;
  /** Checks who sends; null: nobody is asked. */
  readonly authenticator?: ServerAuthenticator | null;
  /** Origins whose pages may send from a browser; `*` for any. None by default. */
  readonly corsOrigins?: readonly string[];
  /** How long browsers may remember that a page may send, in seconds. */
  readonly corsMaxAgeS?: number;
  /** Open connections at once; more are closed on arrival. */
  readonly maxConnections?: number;
  /** Time for a request's headers, in milliseconds. */
  readonly headersTimeoutMs?: number;
  /** Time for a whole request, in milliseconds. */
  readonly requestTimeoutMs?: number;
  /** Time without a byte of an unfinished body, in milliseconds. */
  readonly bodyIdleTimeoutMs?: number;
  /** How long a refused sender may go on sending what is no longer read, in milliseconds. */
  readonly discardTimeoutMs?: number;
}

/** Paths of OTLP/HTTP (OTLP specification, "OTLP/HTTP Request"). */
export const OTLP_PATHS: Readonly<Record<OtlpSignal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
};

export const OTLP_HTTP_DEFAULTS = {
  place: '--otlp-http-port or SIGNALBOX_OTLP_HTTP_PORT (in a configuration file: protocols::http::endpoint)',
  paths: OTLP_PATHS,
  tls: null,
  authenticator: null,
  corsOrigins: [],
  corsMaxAgeS: 7_200,
  maxConnections: 1_024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  bodyIdleTimeoutMs: 15_000,
  discardTimeoutMs: 5_000,
} as const satisfies Partial<OtlpHttpOptions>;
