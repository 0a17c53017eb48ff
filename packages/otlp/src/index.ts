export { decodeLogs } from './logs/decode-logs.ts';
export { encodeLogs } from './logs/encode-logs.ts';
export { decodeMetrics } from './metrics/decode-metrics.ts';
export { encodeMetrics } from './metrics/encode-metrics.ts';
export { prometheusLabelName } from './prometheus/prometheus-label-name.ts';
export { type NamedMetric, prometheusMetricName } from './prometheus/prometheus-metric-name.ts';
export { prometheusUnit } from './prometheus/prometheus-unit.ts';
export { TRANSLATION_STRATEGIES, type TranslationStrategy } from './prometheus/translation-strategy.ts';
export { decodeTraces } from './traces/decode-traces.ts';
export { encodeTraces } from './traces/encode-traces.ts';
export { DEFAULT_DECODE_LIMITS, type DecodeLimits, type DecodeOptions } from './wire/decode-limits.ts';
export {
  type DecodedStatus,
  decodeExportResponse,
  decodeStatus,
  type ExportResponse,
} from './wire/decode-responses.ts';
export { encodeExportResponse } from './wire/encode-export-response.ts';
export { encodeStatus } from './wire/encode-status.ts';
export { OtlpDecodeError } from './wire/otlp-decode-error.ts';
export { ProtobufReader } from './wire/protobuf-reader.ts';
export { protobufToJson } from './wire/protobuf-to-json.ts';
export type { Rejected } from './wire/rejections.ts';
export { ReverseWriter } from './wire/reverse-writer.ts';
