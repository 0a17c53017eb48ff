import { formatFloat } from './format-float.ts';
import type { NativeHistogram } from './native-histogram.ts';
import type { LabelPair, SeriesExemplar } from './prometheus-batch.ts';

export interface ExposedSample {
  readonly name: string;
  readonly labels: readonly LabelPair[];
  readonly value: number | NativeHistogram;
  /** Milliseconds since 1970; null: the time of the scrape. */
  readonly timeMs: number | null;
  /** When counting began, in milliseconds since 1970; null: not said here (text formats say it by a series `_created`). */
  readonly startMs: number | null;
  readonly exemplars: readonly SeriesExemplar[];
}

/** What a target exposes, in whichever format. */
export interface Exposition {
  readonly samples: readonly ExposedSample[];
  /** Help by the name of the family. */
  readonly help: ReadonlyMap<string, string>;
}

/** A bound or quantile as Prometheus 3 writes it in a label, whichever way the target wrote it: `1` is `1.0`. */
export function boundLabel(value: number): string {
  const text = formatFloat(value);
  return /[.en]/.test(text) || Number.isNaN(value) ? text : `${text}.0`;
}
