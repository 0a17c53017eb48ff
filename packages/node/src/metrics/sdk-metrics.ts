import type { Attributes, MeterProvider, Observable } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import type { Signal } from '../signal.ts';
import type { SpanCounts } from '../trace/tracer-provider.ts';
import { version } from '../version.ts';

/** The signals of one `start` by what they consist of; `false` is off. */
export interface SignalsByName {
  readonly spans: Signal | false;
  readonly logRecords: Signal | false;
  readonly dataPoints: Signal | false;
}

export const sdkScope = '@signalbox/node/sdk';

const results = [
  [SamplingDecision.NOT_RECORD, 'DROP'],
  [SamplingDecision.RECORD, 'RECORD_ONLY'],
  [SamplingDecision.RECORD_AND_SAMPLED, 'RECORD_AND_SAMPLE'],
] as const;

/**
 * What the SDK says about itself (https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/). Everything is counted
 * in plain fields anyway and read when metrics are collected; it costs nothing in between.
 */
export function observeSdk(provider: MeterProvider, signals: SignalsByName, spans: SpanCounts | undefined): void {
  const meter = provider.getMeter(sdkScope, version);
  const sum = (name: string, unit: string, description: string) =>
    meter.createObservableCounter(name, { unit, description });
  const level = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(name, { unit, description });

  if (spans !== undefined) {
    sum('otel.sdk.span.started', '{span}', 'The number of created spans.').addCallback((observer) => {
      for (const [origin, decisions] of Object.entries(spans.started)) {
        for (const [decision, result] of results) {
          const attributes = { 'otel.span.parent.origin': origin, 'otel.span.sampling_result': result };
          if (decisions[decision] > 0) observer.observe(decisions[decision], attributes);
        }
      }
    });
    level('otel.sdk.span.live', '{span}', 'The number of sampled spans that have not ended.').addCallback(
      (observer) => {
        const { none, local, remote } = spans.started;
        const sampled = SamplingDecision.RECORD_AND_SAMPLED;
        const live = none[sampled] + local[sampled] + remote[sampled] - spans.ended;
        observer.observe(live, { 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' });
      },
    );
  }

  const kinds = [
    [signals.spans, 'span', '{span}', 'batching_span_processor', 'otlp_http_span_exporter'],
    [signals.logRecords, 'log', '{log_record}', 'batching_log_processor', 'otlp_http_log_exporter'],
    [signals.dataPoints, 'metric_data_point', '{data_point}', undefined, 'otlp_http_metric_exporter'],
  ] as const;
  for (const [signal, kind, unit, processor, exporter] of kinds) {
    if (signal === false) continue;
    const { queue } = signal;
    if (queue !== undefined && processor !== undefined) {
      const about = component(processor);
      const prefix = `otel.sdk.processor.${kind}`;
      observeOne(level(`${prefix}.queue.size`, unit, 'Records that wait to be sent.'), queue.size, about);
      observeOne(level(`${prefix}.queue.capacity`, unit, 'Records that may wait.'), () => queue.capacity, about);
      const processed = sum(`${prefix}.processed`, unit, 'Records taken in, and those refused because it was full.');
      observeOne(processed, queue.processed, about);
      observeOne(processed, queue.refused, { ...about, 'error.type': 'queue_full' });
    }
    const about = component(exporter);
    const prefix = `otel.sdk.exporter.${kind}`;
    observeOne(
      level(`${prefix}.inflight`, unit, 'Records in requests that have not been answered.'),
      signal.inFlight,
      about,
    );
    const exported = sum(`${prefix}.exported`, unit, 'Records that the collector took, and those it did not.');
    observeOne(exported, signal.delivered, about);
    observeOne(exported, signal.failed, { ...about, 'error.type': 'rejected' });
  }
}

function component(type: string): Attributes {
  return { 'otel.component.type': type, 'otel.component.name': `${type}/0` };
}

/** A failure is no series before it happens; what is normal is there from the start. */
function observeOne(instrument: Observable, read: () => number, attributes: Attributes): void {
  instrument.addCallback((observer) => {
    const value = read();
    if (value > 0 || attributes['error.type'] === undefined) observer.observe(value, attributes);
  });
}
