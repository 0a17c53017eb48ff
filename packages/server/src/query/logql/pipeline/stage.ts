import type { LineLabels } from './line-labels.ts';

/** A line on its way through a pipeline. Used again for the next one. */
export interface PipelineLine {
  /** Nanoseconds since 1970. */
  time: bigint;
  line: string;
  readonly labels: LineLabels;
}

/** Does its part on a line; false: the line is filtered out. */
export type StageFunction = (line: PipelineLine) => boolean;

/** Characters other than letters, digits and `_` become `_`; a leading digit gets one in front. */
export function sanitizeLabel(key: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return key;
  const trimmed = key.trim();
  const text = trimmed.replace(/[^A-Za-z0-9_]/gu, '_');
  return /^[0-9]/.test(text) ? `_${text}` : text;
}
