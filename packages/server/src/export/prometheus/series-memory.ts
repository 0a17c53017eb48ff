import type { ExposedFamily, ExposedSeries, PrometheusPoint, PrometheusValue } from '@signalbox/protocols';

interface Series {
  readonly labels: PrometheusPoint['labels'];
  value: PrometheusValue;
  exemplars: PrometheusPoint['exemplars'];
  timeMs: number;
  /** When it was last heard of, by our own clock. */
  seenMs: number;
}

interface Family {
  readonly family: PrometheusPoint['family'];
  readonly series: Map<string, Series>;
}

export interface MemoryLimits {
  /** After so many milliseconds without a point a series is forgotten. */
  readonly expirationMs: number;
  readonly maxSeries: number;
}

/**
 * The last value of each series, for whoever scrapes. Deltas are added up. Two metrics of one name and different types can't both be
 * shown: the first one stays.
 */
export class SeriesMemory {
  readonly #limits: MemoryLimits;
  readonly #families = new Map<string, Family>();
  #count = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  get seriesCount(): number {
    return this.#count;
  }

  /** Returns how many points could not be kept: there are too many series, or the name has another type. */
  add(points: readonly PrometheusPoint[], nowMs: number): number {
    let left = 0;
    for (const point of points) {
      if (!this.#addPoint(point, nowMs)) left++;
    }
    return left;
  }

  #addPoint(point: PrometheusPoint, nowMs: number): boolean {
    const { family, labels, value, exemplars, timeMs } = point;
    let found = this.#families.get(family.name);
    if (found !== undefined && found.family.type !== family.type) return false;
    const key = JSON.stringify(labels);
    const known = found?.series.get(key);
    if (point.stale) {
      if (known !== undefined) this.#remove(found as Family, key);
      return true;
    }
    if (known !== undefined) {
      // A point that arrives late, or twice, changes nothing.
      if (timeMs < known.timeMs || (point.delta && timeMs === known.timeMs)) return true;
      known.value = point.delta ? sumOf(known.value, value) : value;
      known.exemplars = exemplars.length > 0 ? exemplars : known.exemplars;
      known.timeMs = timeMs;
      known.seenMs = nowMs;
      return true;
    }
    if (this.#count >= this.#limits.maxSeries) {
      this.expire(nowMs);
      if (this.#count >= this.#limits.maxSeries) return false;
      found = this.#families.get(family.name);
    }
    if (found === undefined) {
      found = { family, series: new Map() };
      this.#families.set(family.name, found);
    }
    found.series.set(key, { labels, value, exemplars, timeMs, seenMs: nowMs });
    this.#count++;
    return true;
  }

  /** Forgets series that nobody has spoken of for long. */
  expire(nowMs: number): void {
    for (const family of this.#families.values()) {
      for (const [key, { seenMs }] of family.series) {
        if (nowMs - seenMs > this.#limits.expirationMs) this.#remove(family, key);
      }
    }
  }

  /** Families by name, series by labels, so that two scrapes are alike. */
  families(withTimes: boolean): ExposedFamily[] {
    return [...this.#families.values()]
      .sort((a, b) => (a.family.name < b.family.name ? -1 : 1))
      .map(({ family, series }) => ({
        family,
        series: [...series]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, { labels, value, exemplars, timeMs }]): ExposedSeries => {
            return { labels, value, exemplars, timeMs: withTimes ? timeMs : null };
          }),
      }));
  }

  #remove(family: Family, key: string): void {
    family.series.delete(key);
    this.#count--;
    if (family.series.size === 0) this.#families.delete(family.family.name);
  }
}

/** Adds a change to what is known; where the two do not fit (other bounds, another kind), counting starts again with the change. */
function sumOf(known: PrometheusValue, change: PrometheusValue): PrometheusValue {
  if (known.kind === 'number' && change.kind === 'number') return { kind: 'number', value: known.value + change.value };
  if (known.kind === 'histogram' && change.kind === 'histogram') {
    const { bounds } = change;
    if (bounds.length !== known.bounds.length || bounds.some((bound, index) => bound !== known.bounds[index]))
      return change;
    return {
      kind: 'histogram',
      bounds,
      count: known.count + change.count,
      sum: known.sum === null || change.sum === null ? null : known.sum + change.sum,
      counts: change.counts.map((count, index) => count + (known.counts[index] ?? 0)),
    };
  }
  if (known.kind === 'native' && change.kind === 'native') {
    // Text shows only these two.
    return { ...change, count: known.count + change.count, sum: (known.sum ?? 0) + (change.sum ?? 0) };
  }
  return change;
}
