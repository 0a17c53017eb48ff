import type { MetricType } from '@signalbox/records';

/** A metric as it is written: what its series have in common. */
export interface WrittenMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly isMonotonic: boolean;
}

/** Which metrics got new series, by versions of the table `series`: what is known of others stays true. */
export class MetricChanges {
  readonly #marks: { readonly version: number; readonly metrics: readonly WrittenMetric[] }[] = [];
  /** Of changes up to this version it is not known which metrics they are of. */
  #forgotten = 0;
  #size = 0;

  /** @param metrics undefined: that is not known, or rows are gone */
  record(version: number, metrics: readonly WrittenMetric[] | undefined): void {
    if (metrics === undefined) {
      this.#marks.length = 0;
      this.#size = 0;
      this.#forgotten = version;
      return;
    }
    const different = distinct(metrics);
    this.#marks.push({ version, metrics: different });
    this.#size += 1 + different.length;
    while (this.#size > MAX_SIZE) {
      const first = this.#marks.shift();
      this.#size -= 1 + (first?.metrics.length ?? 0);
      this.#forgotten = first?.version ?? version;
    }
  }

  /** Metrics of which series came since the version, perhaps several times; undefined: that is not known. */
  since(version: number): readonly WrittenMetric[] | undefined {
    if (version < this.#forgotten) return undefined;
    return this.#marks.flatMap((mark) => (mark.version > version ? mark.metrics : []));
  }
}

/** Metrics, each once. */
export function distinct(metrics: readonly WrittenMetric[]): WrittenMetric[] {
  return [...new Map(metrics.map((metric) => [JSON.stringify(metric), metric])).values()];
}

/** Of inserts and the metrics in them. */
const MAX_SIZE = 500;
