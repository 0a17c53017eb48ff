export { decodeLogs } from './logs/decode-logs.ts';
export { decodeMetrics } from './metrics/decode-metrics.ts';
export { decodeTraces } from './traces/decode-traces.ts';
export { DEFAULT_DECODE_LIMITS, type DecodeLimits } from './wire/decode-limits.ts';
export { encodeExportResponse } from './wire/encode-export-response.ts';
export { encodeStatus } from './wire/encode-status.ts';
export { OtlpDecodeError } from './wire/otlp-decode-error.ts';
export type { Rejected } from './wire/rejections.ts';
