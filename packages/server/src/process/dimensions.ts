import {
  AttributeKey,
  type AttributeTable,
  type AttributeValue,
  attributeValue,
  type RecordBatch,
} from '@signalbox/records';

/** An attribute that tells series of a metric apart. */
export interface Dimension {
  readonly key: AttributeKey;
  /** Where the attribute is absent; undefined: the series is without it. */
  readonly fallback: AttributeValue | undefined;
}

export function dimension(name: string, fallback: AttributeValue | undefined = undefined): Dimension {
  return { key: new AttributeKey(name), fallback };
}

/** The value of an attribute of a row; undefined: absent. */
export function attributeOf(
  { bytes }: RecordBatch,
  table: AttributeTable,
  row: number,
  key: AttributeKey,
): AttributeValue | undefined {
  const entry = table.find(bytes, row, key.bytes);
  return entry < 0 ? undefined : attributeValue(bytes, table.values, entry);
}
