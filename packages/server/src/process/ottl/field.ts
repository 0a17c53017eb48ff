import {
  type AttributeEditor,
  AttributeKey,
  type AttributeValue,
  type ByteSlices,
  type RecordBatch,
  textOf,
} from '@signalbox/records';
import { OttlValueError } from './ottl-error.ts';
import { Duration, describe, isMap, storable, Time, type Value } from './value.ts';

/** A place in a record that a path names: how it is read and, where that makes sense, written. */
export interface Field<Cursor> {
  readonly get: (cursor: Cursor) => Value;
  readonly set?: (cursor: Cursor, value: Value) => void;
  /** Of a field of attributes: how they are edited in place. */
  readonly attributes?: (cursor: Cursor) => AttributeEditor;
  readonly row?: (cursor: Cursor) => number;
  /** Whether the field is this text: answers without making a string. */
  readonly isText?: (cursor: Cursor, text: Uint8Array) => boolean;
  /** Of a field whose parts have names of their own: `trace_state["key"]`. */
  readonly key?: (key: string) => Field<Cursor>;
}

/** Fields by their names joined with dots. */
export type Fields<Cursor> = Readonly<Record<string, Field<Cursor>>>;

export function textField<Cursor extends { readonly batch: RecordBatch }>(
  slices: (cursor: Cursor) => ByteSlices,
  row: (cursor: Cursor) => number,
): Field<Cursor> {
  return {
    get: (cursor) => textOf(cursor.batch.bytes, slices(cursor), row(cursor)),
    set: (cursor, value) => cursor.batch.setText(slices(cursor), row(cursor), stringOf(value)),
    isText: (cursor, text) => {
      const { start, end } = slices(cursor);
      const from = start[row(cursor)] as number;
      if ((end[row(cursor)] as number) - from !== text.length) {
        return false;
      }
      const { bytes } = cursor.batch;
      for (let i = 0; i < text.length; i++) {
        if (bytes[from + i] !== text[i]) {
          return false;
        }
      }
      return true;
    },
  };
}

export function attributesField<Cursor>(
  attributes: (cursor: Cursor) => AttributeEditor,
  row: (cursor: Cursor) => number,
): Field<Cursor> {
  return {
    attributes,
    row,
    get: (cursor) => mapOf(attributes(cursor), row(cursor)),
    set: (cursor, value) => {
      if (!isMap(value)) {
        throw new OttlValueError(`attributes cannot be set to ${describe(value)}`);
      }
      const editor = attributes(cursor);
      editor.clear(row(cursor));
      for (const [key, entry] of value.entries) {
        editor.set(row(cursor), new AttributeKey(key), entry);
      }
    },
    key: (key) => attributeField(attributes, row, new AttributeKey(key)),
  };
}

/** One attribute; reading an absent one gives nil. */
function attributeField<Cursor>(
  attributes: (cursor: Cursor) => AttributeEditor,
  row: (cursor: Cursor) => number,
  key: AttributeKey,
): Field<Cursor> {
  return {
    get: (cursor) => {
      const editor = attributes(cursor);
      const entry = editor.find(row(cursor), key);
      return entry < 0 ? null : editor.value(entry);
    },
    set: (cursor, value) => attributes(cursor).set(row(cursor), key, storable(value)),
    isText: (cursor, text) => {
      const editor = attributes(cursor);
      const entry = editor.find(row(cursor), key);
      return entry >= 0 && editor.isText(entry, text);
    },
  };
}

function mapOf(editor: AttributeEditor, row: number): Value {
  const entries: (readonly [string, AttributeValue])[] = [];
  for (let entry = editor.first(row); entry >= 0; entry = editor.next(entry, row)) {
    entries.push([editor.key(entry), editor.value(entry)]);
  }
  return { entries };
}

/** An unsigned 32-bit column. */
export function countField<Cursor>(
  column: (cursor: Cursor) => Uint32Array,
  row: (cursor: Cursor) => number,
): Field<Cursor> {
  return {
    get: (cursor) => BigInt(column(cursor)[row(cursor)] as number),
    set: (cursor, value) => {
      column(cursor)[row(cursor)] = Number(intOf(value, 0n, 0xffff_ffffn));
    },
  };
}

/** A column of times as nanoseconds since 1970 (`asTime` false) or as a Time. */
export function timeField<Cursor>(
  column: (cursor: Cursor) => BigUint64Array,
  row: (cursor: Cursor) => number,
  asTime: boolean,
): Field<Cursor> {
  return {
    get: (cursor) => {
      const nanoseconds = column(cursor)[row(cursor)] as bigint;
      return asTime ? new Time(nanoseconds) : BigInt.asIntN(64, nanoseconds);
    },
    set: (cursor, value) => {
      const nanoseconds = asTime ? timeOf(value) : intOf(value);
      column(cursor)[row(cursor)] = BigInt.asUintN(64, nanoseconds);
    },
  };
}

/** A column of ids of `width` bytes, read as bytes. */
export function idField<Cursor>(
  column: (cursor: Cursor) => Uint8Array,
  row: (cursor: Cursor) => number,
  width: 8 | 16,
): Field<Cursor> {
  return {
    get: (cursor) => column(cursor).slice(row(cursor) * width, (row(cursor) + 1) * width),
    set: (cursor, value) => {
      if (!(value instanceof Uint8Array) || value.length !== width) {
        throw new OttlValueError(`an id of ${width} bytes cannot be set to ${describe(value)}`);
      }
      column(cursor).set(value, row(cursor) * width);
    },
  };
}

/** The same as text in hexadecimal. */
export function idTextField<Cursor>(
  column: (cursor: Cursor) => Uint8Array,
  row: (cursor: Cursor) => number,
  width: 8 | 16,
): Field<Cursor> {
  return {
    get: (cursor) => {
      const bytes = column(cursor);
      return Buffer.from(bytes.buffer, bytes.byteOffset + row(cursor) * width, width).toString('hex');
    },
    set: (cursor, value) => {
      const id = Buffer.from(stringOf(value), 'hex');
      if (id.length !== width) {
        throw new OttlValueError(`an id has ${width * 2} hexadecimal digits`);
      }
      column(cursor).set(id, row(cursor) * width);
    },
  };
}

/** A column of small numbers of OTLP from 0 to `last`. */
export function enumField<Cursor>(
  column: (cursor: Cursor) => Uint8Array,
  row: (cursor: Cursor) => number,
  values: readonly bigint[],
  last: number,
): Field<Cursor> {
  return {
    get: (cursor) => values[column(cursor)[row(cursor)] as number] ?? 0n,
    set: (cursor, value) => {
      column(cursor)[row(cursor)] = Number(intOf(value, 0n, BigInt(last)));
    },
  };
}

export function stringOf(value: Value): string {
  if (typeof value !== 'string') {
    throw new OttlValueError(`expected a string, found ${describe(value)}`);
  }
  return value;
}

export function intOf(value: Value, least?: bigint, most?: bigint): bigint {
  if (typeof value !== 'bigint') {
    throw new OttlValueError(`expected an int, found ${describe(value)}`);
  }
  if ((least !== undefined && value < least) || (most !== undefined && value > most)) {
    throw new OttlValueError(`expected an int from ${least} to ${most}`);
  }
  return value;
}

export function timeOf(value: Value): bigint {
  if (!(value instanceof Time)) {
    throw new OttlValueError(`expected a time, found ${describe(value)}`);
  }
  return value.nanoseconds;
}

export function durationOf(value: Value): bigint {
  if (!(value instanceof Duration)) {
    throw new OttlValueError(`expected a duration, found ${describe(value)}`);
  }
  return value.nanoseconds;
}
