import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { OtlpProtocol } from '../options.ts';

// Functions, for `register` to have them in a file of their own: nothing is serialized while an application starts.

export function traceSerializer(protocol: OtlpProtocol) {
  return protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
}

export function logSerializer(protocol: OtlpProtocol) {
  return protocol === 'http/json' ? JsonLogsSerializer : ProtobufLogsSerializer;
}

export function metricSerializer(protocol: OtlpProtocol) {
  return protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
}
