import { createHash } from 'node:crypto';
import { type AttributeEditor, AttributeKey, type AttributeValue } from '@signalbox/records';
import { KeyCache } from '../ottl/functions/editable-map.ts';
import { toDouble, toInt } from '../ottl/functions/type-converters.ts';
import { textOfValue } from '../ottl/text-of-value.ts';
import type { Regex } from '../regex.ts';

/** Where the value of an action comes from. */
export type ActionSource =
  | { readonly value: AttributeValue }
  /** Another attribute; where it is absent, the action does nothing. */
  | { readonly fromAttribute: string };

/** One of the `actions` of the attributes and resource processors. `pattern` takes the keys that it matches besides `key`. */
export type AttributeAction =
  | { readonly action: 'insert' | 'update' | 'upsert'; readonly key: string; readonly source: ActionSource }
  | { readonly action: 'delete' | 'hash'; readonly key: string | null; readonly pattern: Regex | null }
  | { readonly action: 'extract'; readonly key: string; readonly pattern: Regex }
  | { readonly action: 'convert'; readonly key: string; readonly convertedType: ConvertedType };

export const CONVERTED_TYPES = ['int', 'double', 'string'] as const;
export type ConvertedType = (typeof CONVERTED_TYPES)[number];

/** Changes the attributes of one row. */
export type AttributeEdit = (editor: AttributeEditor, row: number) => void;

/** The actions in their order. */
export function compileActions(actions: readonly AttributeAction[]): AttributeEdit {
  const edits = actions.map(compileAction);
  const [only] = edits;
  if (only !== undefined && edits.length === 1) {
    return only;
  }
  return (editor, row) => {
    for (const edit of edits) {
      edit(editor, row);
    }
  };
}

function compileAction(action: AttributeAction): AttributeEdit {
  switch (action.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return compileSet(action.action, new AttributeKey(action.key), action.source);
    case 'delete':
      return deletion(action);
    case 'hash':
      return forEntries(action, (editor, entry) => editor.setValue(entry, hashed(editor.value(entry))));
    case 'extract':
      return extraction(new AttributeKey(action.key), action.pattern);
    case 'convert':
      return conversion(new AttributeKey(action.key), action.convertedType);
  }
}

function compileSet(action: 'insert' | 'update' | 'upsert', key: AttributeKey, source: ActionSource): AttributeEdit {
  const set = (editor: AttributeEditor, row: number, value: AttributeValue) => {
    const entry = action === 'upsert' ? -1 : editor.find(row, key);
    if (action === 'upsert' || entry >= 0 === (action === 'update')) {
      editor.set(row, key, value);
    }
  };
  if ('value' in source) {
    const { value } = source;
    return (editor, row) => set(editor, row, value);
  }
  const from = new AttributeKey(source.fromAttribute);
  return (editor, row) => {
    const entry = editor.find(row, from);
    if (entry >= 0) {
      set(editor, row, editor.value(entry));
    }
  };
}

function deletion({ key, pattern }: { readonly key: string | null; readonly pattern: Regex | null }): AttributeEdit {
  const remove = forEntries({ key: null, pattern }, (editor, entry) => editor.remove(entry));
  const ofKey = key === null ? null : new AttributeKey(key);
  return (editor, row) => {
    if (ofKey !== null) {
      editor.removeKey(row, ofKey);
    }
    remove(editor, row);
  };
}

/** Calls for each entry that has the key or whose key the pattern matches. */
function forEntries(
  { key, pattern }: { readonly key: string | null; readonly pattern: Regex | null },
  each: (editor: AttributeEditor, entry: number) => void,
): AttributeEdit {
  const ofKey = key === null ? null : new AttributeKey(key);
  return (editor, row) => {
    if (ofKey !== null) {
      const entry = editor.find(row, ofKey);
      if (entry >= 0) {
        each(editor, entry);
      }
    }
    if (pattern === null) {
      return;
    }
    for (let entry = editor.first(row); entry >= 0; entry = editor.next(entry, row)) {
      const name = editor.key(entry);
      if (name !== key && pattern.test(name)) {
        each(editor, entry);
      }
    }
  };
}

function extraction(key: AttributeKey, pattern: Regex): AttributeEdit {
  const keys = new KeyCache();
  return (editor, row) => {
    const entry = editor.find(row, key);
    const value = entry < 0 ? null : editor.value(entry);
    if (typeof value !== 'string') {
      return;
    }
    for (const [name, group] of pattern.groups(value) ?? []) {
      editor.set(row, keys.key(name), group);
    }
  };
}

function conversion(key: AttributeKey, type: ConvertedType): AttributeEdit {
  return (editor, row) => {
    const entry = editor.find(row, key);
    if (entry < 0) {
      return;
    }
    const value = editor.value(entry);
    const converted = type === 'int' ? toInt(value) : type === 'double' ? toDouble(value) : textOfValue(value);
    // Documented: what cannot be converted stays.
    if (converted !== null) {
      editor.setValue(entry, converted);
    }
  };
}

/** SHA-256 in hexadecimal of a string's bytes, or of a number's in little-endian order, as upstream has it. */
function hashed(value: AttributeValue): string {
  return createHash('sha256').update(bytesOf(value)).digest('hex');
}

function bytesOf(value: AttributeValue): Uint8Array | string {
  switch (typeof value) {
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0);
    case 'bigint': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    }
    case 'number': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    }
    default:
      return value instanceof Uint8Array ? value : (textOfValue(value) ?? '');
  }
}
