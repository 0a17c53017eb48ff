import { debugExporterFactory } from './export/debug/debug-exporter.ts';
import { fileExporterFactory } from './export/file/file-exporter.ts';
import { lokiExporterFactory } from './export/loki/loki-exporter.ts';
import { otlpGrpcExporterFactory } from './export/otlp/otlp-grpc-exporter.ts';
import { otlpHttpExporterFactory } from './export/otlp/otlp-http-exporter.ts';
import { prometheusExporterFactory } from './export/prometheus/prometheus-exporter.ts';
import { prometheusRemoteWriteExporterFactory } from './export/prometheus-remote-write/prometheus-remote-write-exporter.ts';
import { basicAuthFactory } from './extend/basic-auth.ts';
import { bearerTokenAuthFactory } from './extend/bearer-token-auth.ts';
import { cpuProfileFactory } from './extend/cpu-profile.ts';
import { healthCheckFactory } from './extend/health-check.ts';
import { fileStorageFactory, zpagesFactory } from './extend/stand-ins.ts';
import type { ComponentFactory } from './pipeline/component-factory.ts';
import { attributesFactory } from './process/attributes/attributes-factory.ts';
import { resourceFactory } from './process/attributes/resource-factory.ts';
import { batchFactory } from './process/batch/batch-factory.ts';
import { countFactory } from './process/count/count-factory.ts';
import { filterFactory } from './process/filter/filter-factory.ts';
import { memoryLimiterFactory } from './process/memory-limiter/memory-limiter-factory.ts';
import { redactionFactory } from './process/redaction/redaction-factory.ts';
import { resourceDetectionFactory } from './process/resource-detection/resource-detection-factory.ts';
import { probabilisticSamplerFactory } from './process/sampling/probabilistic-sampler-factory.ts';
import { serviceGraphFactory } from './process/service-graph/service-graph-factory.ts';
import { spanMetricsFactory } from './process/span-metrics/span-metrics-factory.ts';
import { tailSamplingFactory } from './process/tail-sampling/tail-sampling-factory.ts';
import { transformFactory } from './process/transform/transform-factory.ts';
import { lokiReceiverFactory } from './receive/loki/loki-receiver.ts';
import { otlpReceiverFactory } from './receive/otlp-receiver.ts';
import { prometheusReceiverFactory } from './receive/prometheus/prometheus-receiver.ts';
import { prometheusRemoteWriteReceiverFactory } from './receive/prometheus-remote-write/prometheus-remote-write-receiver.ts';
import { statsdReceiverFactory } from './receive/statsd/statsd-receiver.ts';
import { zipkinReceiverFactory } from './receive/zipkin/zipkin-receiver.ts';

/** Every component that a configuration file can name. A new one is an import and a line here; nothing else knows of it. */
export const componentFactories: readonly ComponentFactory[] = [
  attributesFactory,
  basicAuthFactory,
  batchFactory,
  bearerTokenAuthFactory,
  countFactory,
  cpuProfileFactory,
  debugExporterFactory,
  fileExporterFactory,
  fileStorageFactory,
  filterFactory,
  healthCheckFactory,
  lokiExporterFactory,
  lokiReceiverFactory,
  memoryLimiterFactory,
  otlpGrpcExporterFactory,
  otlpHttpExporterFactory,
  otlpReceiverFactory,
  probabilisticSamplerFactory,
  prometheusExporterFactory,
  prometheusReceiverFactory,
  prometheusRemoteWriteExporterFactory,
  prometheusRemoteWriteReceiverFactory,
  redactionFactory,
  resourceDetectionFactory,
  resourceFactory,
  serviceGraphFactory,
  spanMetricsFactory,
  statsdReceiverFactory,
  tailSamplingFactory,
  transformFactory,
  zipkinReceiverFactory,
  zpagesFactory,
];
