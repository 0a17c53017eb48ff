import { type AttributeEditor, AttributeKey, AttributeType, attributeValue, type SpanBatch } from '@signalbox/records';
import { type Bits56, NEVER_SAMPLE, thresholdOf } from './threshold.ts';

/** What an item asks for itself: to be kept, to be dropped, or nothing. */
export type Priority = 'keep' | 'drop' | null;

const SAMPLING_PRIORITY = new AttributeKey('sampling.priority').bytes;

/** The attribute `sampling.priority` of a span (OpenTracing's conventions): 0 drops it, more keeps it, whatever type it came as. */
export function spanPriority({ bytes, attributes }: SpanBatch, row: number): Priority {
  const entry = attributes.find(bytes, row, SAMPLING_PRIORITY);
  if (entry < 0 || attributes.values.type[entry] === AttributeType.Bool) {
    return null;
  }
  const value = attributeValue(bytes, attributes.values, entry);
  const number =
    typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '')
      ? Number(value)
      : Number.NaN;
  return number === 0 ? 'drop' : number > 0 ? 'keep' : null;
}

/** The threshold of the percentage in a log record's attribute; null: it has none. */
export function logPriorityThreshold(
  editor: AttributeEditor,
  row: number,
  key: AttributeKey,
  precision: number,
): Bits56 | null {
  const entry = editor.find(row, key);
  const value = entry < 0 ? null : editor.value(entry);
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    return null;
  }
  return Number(value) <= 0 ? NEVER_SAMPLE : thresholdOf(Number(value) / 100, precision);
}
