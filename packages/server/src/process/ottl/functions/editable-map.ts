import { type AttributeEditor, type AttributeEntry, AttributeKey, type AttributeValue } from '@signalbox/records';
import type { Field } from '../field.ts';
import { OttlValueError } from '../ottl-error.ts';
import { describe, isMap } from '../value.ts';

/** A map that an editor changes: attributes in their columns, or the entries of a value. */
export interface EditableMap {
  /** All entries as they are now; changing the map while visiting them is allowed. */
  entries(): readonly AttributeEntry[];
  keys(): readonly string[];
  get(key: AttributeKey): AttributeValue | undefined;
  set(key: AttributeKey, value: AttributeValue): void;
  delete(key: AttributeKey): void;
}

/** Changes the map that `field` is. A field that is nil has nothing to change. */
export function editMap<Cursor>(
  field: Field<Cursor> & Required<Pick<Field<Cursor>, 'set'>>,
  cursor: Cursor,
  edit: (map: EditableMap) => void,
): void {
  if (field.attributes !== undefined && field.row !== undefined) {
    edit(new AttributesMap(field.attributes(cursor), field.row(cursor)));
    return;
  }
  const value = field.get(cursor);
  if (value === null) {
    return;
  }
  if (!isMap(value)) {
    throw new OttlValueError(`expected a map to change, found ${describe(value)}`);
  }
  const entries = new EntriesMap(value.entries);
  edit(entries);
  field.set(cursor, { entries: entries.entries() });
}

class AttributesMap implements EditableMap {
  readonly #editor: AttributeEditor;
  readonly #row: number;

  constructor(editor: AttributeEditor, row: number) {
    this.#editor = editor;
    this.#row = row;
  }

  entries(): AttributeEntry[] {
    const entries: AttributeEntry[] = [];
    const editor = this.#editor;
    for (let entry = editor.first(this.#row); entry >= 0; entry = editor.next(entry, this.#row)) {
      entries.push([editor.key(entry), editor.value(entry)]);
    }
    return entries;
  }

  keys(): string[] {
    const keys: string[] = [];
    const editor = this.#editor;
    for (let entry = editor.first(this.#row); entry >= 0; entry = editor.next(entry, this.#row)) {
      keys.push(editor.key(entry));
    }
    return keys;
  }

  get(key: AttributeKey): AttributeValue | undefined {
    const entry = this.#editor.find(this.#row, key);
    return entry < 0 ? undefined : this.#editor.value(entry);
  }

  set(key: AttributeKey, value: AttributeValue): void {
    this.#editor.set(this.#row, key, value);
  }

  delete(key: AttributeKey): void {
    this.#editor.removeKey(this.#row, key);
  }
}

class EntriesMap implements EditableMap {
  readonly #entries: Map<string, AttributeValue>;

  constructor(entries: readonly AttributeEntry[]) {
    this.#entries = new Map(entries);
  }

  entries(): AttributeEntry[] {
    return [...this.#entries];
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  get(key: AttributeKey): AttributeValue | undefined {
    return this.#entries.get(key.text);
  }

  set(key: AttributeKey, value: AttributeValue): void {
    this.#entries.set(key.text, value);
  }

  delete(key: AttributeKey): void {
    this.#entries.delete(key.text);
  }
}

/** Keys by their text, so that a key met often is encoded once. Bounded: keys come from records. */
export class KeyCache {
  readonly #keys = new Map<string, AttributeKey>();

  key(text: string): AttributeKey {
    let key = this.#keys.get(text);
    if (key === undefined) {
      if (this.#keys.size === 1_000) {
        this.#keys.clear();
      }
      key = new AttributeKey(text);
      this.#keys.set(text, key);
    }
    return key;
  }
}
