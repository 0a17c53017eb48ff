import type { AnyValueColumn } from './any-value-column.ts';
import { encodeAnyValue } from './any-value-encoder.ts';
import { AttributeType } from './attribute-type.ts';
import type { AttributeValue } from './objects.ts';
import type { RecordBatch } from './record-batch.ts';

/** Sets a row of a column of values; what needs bytes is added to those of `batch`. */
export function setAnyValue(batch: RecordBatch, column: AnyValueColumn, row: number, value: AttributeValue): void {
  if (value === null) {
    column.setEmpty(row);
  } else if (typeof value === 'string') {
    const start = batch.appendText(value);
    column.setSlice(row, AttributeType.String, start, batch.byteCount);
  } else if (typeof value === 'boolean') {
    column.setBool(row, value);
  } else if (typeof value === 'number') {
    column.setDouble(row, value);
  } else if (typeof value === 'bigint') {
    const bits = BigInt.asUintN(64, value);
    column.setInt(row, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  } else {
    const bytes = value instanceof Uint8Array ? value : encodeAnyValue(value);
    const start = batch.appendBytes(bytes);
    column.setSlice(row, typeOf(value), start, start + bytes.length);
  }
}

function typeOf(value: object): AttributeType {
  return value instanceof Uint8Array
    ? AttributeType.Bytes
    : Array.isArray(value)
      ? AttributeType.Array
      : AttributeType.KeyValueList;
}
