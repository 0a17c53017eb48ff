import { parseStatsdLine, type StatsdSample, type StatsdType } from '@signalbox/protocols';
import { type AttributeEntry, type MetricBatch, MetricBuilder } from '@signalbox/records';
import {
  CounterSeries,
  GaugeSeries,
  HistogramSeries,
  type StatsdSeries,
  SummarySeries,
  ValueSeries,
} from './statsd-series.ts';
import type { AggregationSettings, Observer } from './statsd-settings.ts';

interface HeldSeries {
  readonly name: string;
  readonly attributes: readonly AttributeEntry[];
  readonly series: StatsdSeries;
}

/** `disabled`: the mapping has no place for values of its type. `full`: there is no room for it before `take`. */
export type LineOutcome = 'held' | 'disabled' | 'full';

const TYPE_NAMES: Readonly<Record<StatsdType, string>> = {
  c: 'counter',
  g: 'gauge',
  ms: 'timing',
  h: 'histogram',
  d: 'distribution',
};
const SCOPE = 'statsdreceiver';
/** Estimates of memory: what a series takes besides its texts, and each number of it while it is held and in the batch. */
const SERIES_BYTES = 600;
const NUMBER_BYTES = 40;

/** Adds up the lines of an interval: one series for each name, type, set of tags and sender. */
export class StatsdAggregation {
  readonly #settings: AggregationSettings;
  readonly #series = new Map<string, HeldSeries>();
  #bytes = 0;
  #startMs: number;
  #lastTime = 0n;

  constructor(settings: AggregationSettings, nowMs: number) {
    this.#settings = settings;
    this.#startMs = nowMs;
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  /** Throws ProtocolDecodeError for what is no line of statsd. */
  add(line: string, sender: string, nowMs: number): LineOutcome {
    const sample = parseStatsdLine(line, this.#settings.simpleTags);
    if (this.#observer(sample.type)?.kind === 'disabled') return 'disabled';
    if (this.#bytes >= this.#settings.maxBytes) return 'full';
    const key = keyOf(sender, sample);
    let held = this.#series.get(key);
    if (held === undefined) {
      if (this.#series.size >= this.#settings.maxSeries) return 'full';
      held = this.#hold(key, sample);
    }
    const before = held.series.size;
    held.series.add(sample, this.#time(nowMs));
    this.#bytes += (held.series.size - before) * NUMBER_BYTES;
    return 'held';
  }

  /** What was added up since the last time, which ends the interval; null: nothing. */
  take(nowMs: number): MetricBatch | null {
    const startMs = this.#startMs;
    this.#startMs = nowMs;
    if (this.#series.size === 0) return null;
    const builder = new MetricBuilder();
    const scope = builder.scope([], SCOPE);
    const metrics = new Map<string, number>();
    const written = new Map<string, number>();
    for (const [held, { name, attributes, series }] of this.#series) {
      const key = `${series.metric.type} ${name}`;
      const metric = metrics.get(key) ?? builder.metric(scope, { name, ...series.metric });
      metrics.set(key, metric);
      // The same series of several senders: PromQL takes points of equal milliseconds for one that was sent again.
      const identity = held.slice(held.indexOf('\n'));
      const before = written.get(identity) ?? 0;
      written.set(identity, before + 1);
      const endMs = Math.max(nowMs - before, Math.min(startMs + 1, nowMs));
      series.write({ builder, metric, attributes, startMs, endMs });
    }
    this.#series.clear();
    this.#bytes = 0;
    return builder.batch;
  }

  #hold(key: string, sample: StatsdSample): HeldSeries {
    const attributes: AttributeEntry[] = sample.attributes.filter(
      ([name]) => !(this.#settings.metricTypeAttribute && name === 'metric_type'),
    );
    if (this.#settings.metricTypeAttribute) attributes.push(['metric_type', TYPE_NAMES[sample.type]]);
    const series = this.#create(sample, attributes.length);
    const held = { name: sample.name, attributes, series };
    this.#series.set(key, held);
    // Its key, its texts, and those texts in the batch; its numbers.
    this.#bytes += SERIES_BYTES + key.length * 6 + (attributes.length + series.size) * NUMBER_BYTES;
    return held;
  }

  #create(sample: StatsdSample, attributes: number): StatsdSeries {
    const { counterType, monotonicCounters } = this.#settings;
    if (sample.type === 'c') return new CounterSeries(counterType, monotonicCounters);
    const observer = this.#observer(sample.type);
    switch (observer?.kind) {
      case 'gauge':
        return new ValueSeries(attributes);
      case 'summary':
        return new SummarySeries(observer.percentiles);
      case 'histogram': {
        const explicit = observer.explicit.find(({ pattern }) => pattern.test(sample.name));
        return new HistogramSeries(explicit?.bounds ?? observer.maxSize);
      }
      default:
        return new GaugeSeries();
    }
  }

  #observer(type: StatsdType): Observer | undefined {
    switch (type) {
      case 'ms':
        return this.#settings.timings;
      case 'h':
      case 'd':
        return this.#settings.histograms;
      default:
        return undefined;
    }
  }

  /** Never the same twice, so that no point of a series is taken for another one that was sent again. */
  #time(nowMs: number): bigint {
    const now = BigInt(nowMs) * 1_000_000n;
    this.#lastTime = now > this.#lastTime ? now : this.#lastTime + 1n;
    return this.#lastTime;
  }
}

/** No part can have a line's end in it. */
function keyOf(sender: string, { name, type, attributes }: StatsdSample): string {
  let key = `${sender}\n${type}\n${name}`;
  for (const [tag, value] of attributes) key += `\n${tag}\n${value}`;
  return key;
}
