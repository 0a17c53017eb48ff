import type { KeyValue } from '@signalbox/api-contract';
import type { Label, TimeSeries } from '../../query/traceql/metrics/time-series.ts';
import { type TimeSteps, timeOf } from '../../query/traceql/metrics/time-steps.ts';
import { keyValueField } from '../otlp-value-fields.ts';
import { doubleField, messageField, varintField } from '../protobuf-fields.ts';
import { anyValueOf } from './static-any-value.ts';

/** `QueryRangeResponse` of tempo.proto as JSON: 64-bit numbers as text. */
export interface QueryRangeResponse {
  readonly series: readonly {
    readonly labels: readonly KeyValue[];
    readonly samples: readonly { readonly timestampMs: string; readonly value: number }[];
    readonly exemplars?: readonly {
      readonly labels: readonly KeyValue[];
      readonly value: number;
      readonly timestampMs: string;
    }[];
  }[];
  readonly metrics: { readonly completedJobs: number; readonly totalJobs: number };
}

const METRICS = { completedJobs: 1, totalJobs: 1 };

/** Series in the order of their labels. What has no value is left out. */
export function queryRangeResponse(series: readonly TimeSeries[], steps: TimeSteps): QueryRangeResponse {
  const shown = series.flatMap(({ labels, values, exemplars }) => {
    const samples = Array.from(values, (value, step) => ({ timestampMs: String(timeOf(steps, step)), value })).filter(
      ({ value }) => Number.isFinite(value),
    );
    if (samples.length === 0) return [];
    const shownExemplars = exemplars
      .filter(({ value }) => Number.isFinite(value))
      .map(({ labels: own, value, timeMs }) => ({ labels: keyValues(own), value, timestampMs: String(timeMs) }));
    return [
      { labels: keyValues(labels), samples, ...(shownExemplars.length === 0 ? {} : { exemplars: shownExemplars }) },
    ];
  });
  return { series: inOrder(shown), metrics: METRICS };
}

/** `QueryInstantResponse` of tempo.proto as JSON. */
export interface QueryInstantResponse {
  readonly series: readonly { readonly labels: readonly KeyValue[]; readonly value: number }[];
  readonly metrics: { readonly completedJobs: number; readonly totalJobs: number };
}

export function queryInstantResponse(series: readonly TimeSeries[]): QueryInstantResponse {
  const shown = series.flatMap(({ labels, values }) => {
    const value = values[0] ?? Number.NaN;
    return Number.isFinite(value) ? [{ labels: keyValues(labels), value }] : [];
  });
  return { series: inOrder(shown), metrics: METRICS };
}

function keyValues(labels: readonly Label[]): KeyValue[] {
  return labels.map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

function inOrder<Series extends { readonly labels: readonly KeyValue[] }>(series: readonly Series[]): Series[] {
  const keyed = series.map((each) => ({ key: JSON.stringify(each.labels), each }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ each }) => each);
}

export function encodeQueryRange({ series, metrics }: QueryRangeResponse): Uint8Array {
  return Buffer.concat([
    ...series.map(({ labels, samples, exemplars = [] }) =>
      messageField(
        1,
        ...labels.map((label) => keyValueField(1, label)),
        ...samples.map(({ timestampMs, value }) =>
          messageField(2, doubleField(1, value), varintField(2, BigInt(timestampMs))),
        ),
        ...exemplars.map((exemplar) =>
          messageField(
            4,
            ...exemplar.labels.map((label) => keyValueField(1, label)),
            doubleField(2, exemplar.value),
            varintField(3, BigInt(exemplar.timestampMs)),
          ),
        ),
      ),
    ),
    messageField(2, varintField(4, metrics.completedJobs), varintField(5, metrics.totalJobs)),
  ]);
}

export function encodeQueryInstant({ series, metrics }: QueryInstantResponse): Uint8Array {
  return Buffer.concat([
    ...series.map(({ labels, value }) =>
      messageField(1, ...labels.map((label) => keyValueField(1, label)), doubleField(2, value)),
    ),
    messageField(2, varintField(4, metrics.completedJobs), varintField(5, metrics.totalJobs)),
  ]);
}
