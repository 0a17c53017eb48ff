import {
  type AttributeEntry,
  ExplicitHistogram,
  type MetricBatch,
  MetricBuilder,
  MetricType,
  Temporality,
} from '@signalbox/records';
import type { Edge } from './pending-edges.ts';

/** Series that no edge has reached for so long are forgotten. */
const STALE_MS = 15 * 60_000;
const MAX_SERIES = 50_000;

interface Series {
  readonly attributes: readonly AttributeEntry[];
  total: number;
  failed: number;
  readonly server: ExplicitHistogram;
  readonly client: ExplicitHistogram;
  updatedAt: number;
}

/** Adds up edges by client, server and further dimensions, under the names of upstream's `servicegraph`. */
export class EdgeSeries {
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  /** Upper bounds of buckets, in seconds. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  /** `missing` is the side that sent no span; `isLabelled`: that is to be a label. `now` is in milliseconds. */
  add(edge: Edge, missing: 'client' | 'server' | null, isLabelled: boolean, now: number): void {
    const { client, server, failed, weight } = edge;
    const attributes: AttributeEntry[] = [
      ['client', client?.service ?? ''],
      ['server', server?.service ?? ''],
      ['connection_type', edge.connectionType],
      ['failed', failed],
      ...(missing !== null && isLabelled ? [['virtual_node', missing] as const] : []),
      ...(client?.dimensions ?? []),
      ...(server?.dimensions ?? []),
    ];
    const key = JSON.stringify(attributes);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) {
        this.forgetStale(now);
        if (this.#series.size >= MAX_SERIES) {
          return;
        }
      }
      series = {
        attributes,
        total: 0,
        failed: 0,
        server: new ExplicitHistogram(this.#bounds),
        client: new ExplicitHistogram(this.#bounds),
        updatedAt: now,
      };
      this.#series.set(key, series);
    }
    series.updatedAt = now;
    series.total += weight;
    series.failed += failed ? weight : 0;
    // A side that sent no span took no time that anybody knows of.
    if (server !== null && missing !== 'server') {
      series.server.record(server.duration, weight);
    }
    if (client !== null && missing !== 'client') {
      series.client.record(client.duration, weight);
    }
  }

  forgetStale(now: number): void {
    for (const [key, { updatedAt }] of this.#series) {
      if (updatedAt + STALE_MS <= now) {
        this.#series.delete(key);
      }
    }
  }

  /** All series as points; times in milliseconds since 1970. */
  build(startMs: number, nowMs: number): MetricBatch {
    const builder = new MetricBuilder();
    const all = [...this.#series.values()];
    if (all.length === 0) {
      return builder.batch;
    }
    const scope = builder.scope([], 'traces_service_graph');
    const failed = all.filter((series) => series.failed > 0);
    const sums = (name: string, description: string, list: readonly Series[], count: (series: Series) => number) => {
      if (list.length === 0) {
        return;
      }
      const type = MetricType.Sum;
      const temporality = Temporality.Cumulative;
      const metric = builder.metric(scope, { name, description, type, temporality, monotonic: true });
      const { numberPoints } = builder.batch;
      for (const series of list) {
        const row = builder.point(numberPoints, metric, series.attributes, startMs, nowMs);
        const whole = Math.round(count(series));
        numberPoints.value.setIntWords(row, whole >>> 0, Math.floor(whole / 2 ** 32));
        numberPoints.end();
      }
    };
    const histograms = (name: string, description: string, histogram: (series: Series) => ExplicitHistogram) => {
      const type = MetricType.Histogram;
      const temporality = Temporality.Cumulative;
      const metric = builder.metric(scope, { name, description, unit: 's', type, temporality });
      const { histogramPoints } = builder.batch;
      for (const series of all) {
        const row = builder.point(histogramPoints, metric, series.attributes, startMs, nowMs);
        histogram(series).write(histogramPoints, row);
        histogramPoints.end();
      }
    };
    sums('traces_service_graph_request_total', 'Requests between two services', all, ({ total }) => total);
    sums('traces_service_graph_request_failed_total', 'Failed requests between two services', failed, (s) => s.failed);
    histograms('traces_service_graph_request_server', 'Time of a request as the server saw it', ({ server }) => server);
    histograms('traces_service_graph_request_client', 'Time of a request as the client saw it', ({ client }) => client);
    return builder.batch;
  }
}
