import type { UnixNano } from './time.ts';

/** `GET /api/signalbox/status` */
export interface StatusResponse {
  version: string;
  /** Milliseconds since the process started. */
  uptimeMs: number;
  store: {
    /** `none`: the configuration has no store, and nothing is kept. */
    kind: 'embedded' | 'server' | 'none';
    /** Rows and compressed bytes on disk, by signal. */
    signals: Record<'spans' | 'logs' | 'metrics', { rows: number; bytes: number; oldest: UnixNano | null }>;
    /** e.g. `7d`, by signal. */
    retention: Record<'spans' | 'logs' | 'metrics', string>;
    /** The size cap in bytes; null when there is none. */
    maxBytes: number | null;
  };
  /** Where to send data: `http://127.0.0.1:4318`, `127.0.0.1:4317`. Null when that receiver is off. */
  endpoints: { otlpHttp: string | null; otlpGrpc: string | null };
  /** Since start: records accepted and refused, by signal. */
  received: Record<'spans' | 'logs' | 'metrics', { accepted: number; rejected: number }>;
}
