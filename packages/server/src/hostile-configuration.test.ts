import { expect, it } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../tooling/fuzz.ts';
import { componentFactories } from './component-factories.ts';
import { ConfigError } from './config/config-error.ts';
import { configFile } from './config/config-file.ts';
import { readSettingNodes } from './config/setting-node.ts';
import { readGraphConfig } from './graph/graph-config.ts';

/** Between them a component of each kind, and every kind of value. */
const FILES = [
  `receivers:
  otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}, http: {cors: {allowed_origins: ["https://*.example"]}}}}
exporters:
  otlp/tempo: &tempo {endpoint: "tempo:4317", tls: {insecure: true}, headers: {x: "\${env:TOKEN:-a}"}}
  otlp/second: {<<: *tempo, timeout: 5s}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp/tempo, otlp/second]}}}
`,
  `receivers:
  statsd:
    aggregation_interval: 70s
    timer_histogram_mapping:
      - {statsd_type: timing, observer_type: histogram, histogram: {explicit_buckets: [{matcher_pattern: "^a.*", buckets: [1, 2.5]}]}}
  prometheus: {config: {scrape_configs: [{job_name: a, static_configs: [{targets: ["b:1"]}], relabel_configs: [{source_labels: [a], regex: "(.*)", target_label: b}]}]}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 500}
  filter: {error_mode: ignore, metrics: {metric: ['name == "a"']}}
  transform: {metric_statements: [{context: datapoint, statements: ['set(attributes["a"], 1)']}]}
exporters: {debug: {verbosity: basic}}
service: {pipelines: {metrics: {receivers: [statsd, prometheus], processors: [memory_limiter, filter, transform], exporters: [debug]}}}
`,
  `receivers: {zipkin: }
processors:
  tail_sampling:
    decision_wait: 10s
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}}
  redaction: {allow_all_keys: true, blocked_values: ["4[0-9]{12}(?:[0-9]{3})?"]}
connectors: {spanmetrics: {dimensions: [{name: http.route}]}}
exporters: {debug: , prometheus: {endpoint: "localhost:9464"}}
service:
  pipelines:
    traces: {receivers: [zipkin], processors: [redaction, tail_sampling], exporters: [debug, spanmetrics]}
    metrics: {receivers: [spanmetrics], exporters: [prometheus]}
`,
];

function read(text: string): void {
  const { collector } = configFile('c.yaml', readSettingNodes(text, 'c.yaml', {}));
  if (collector !== null) readGraphConfig('c.yaml', collector, componentFactories);
}

it('what is changed below can be read', () => {
  for (const file of FILES) expect(() => read(file)).not.toThrow();
});

it('a configuration is read or refused, whatever its bytes', { timeout: FUZZ_TIMEOUT }, () => {
  fuzz(
    FILES.map((file) => Buffer.from(file)),
    (bytes) => read(Buffer.from(bytes).toString()),
    (error) => error instanceof ConfigError,
    10,
  );
});
