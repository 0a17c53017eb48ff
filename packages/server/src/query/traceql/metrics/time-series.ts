import { type Static, staticKey } from '@signalbox/query-language';

export type Label = readonly [name: string, value: Static];

export interface Exemplar {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly value: number;
  readonly labels: readonly Label[];
}

/** NaN: there is no value at that step. */
export interface TimeSeries {
  readonly labels: readonly Label[];
  readonly values: Float64Array;
  readonly exemplars: readonly Exemplar[];
}

export const NAME = '__name__';
export const BUCKET = '__bucket';
export const META_TYPE = '__meta_type';

/** What tells series apart. */
export function labelsKey(labels: readonly Label[]): string {
  return labels.map(([name, value]) => `${name}=${staticKey(value)}`).join('\n');
}
