import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { RepeatedFields } from './repeated-fields.ts';
import type { ReverseWriter } from './reverse-writer.ts';

/** Of Span. */
const attributesField = 9;
const maxKeys = 256;
const maxKeptBytes = 256;
const maxPlaces = 32;

interface KnownKey {
  readonly key: string;
  /** `key` of KeyValue, encoded. */
  readonly header: Uint8Array;
  /** What the last span had. */
  last: AttributeValue | undefined;
  /** What `field` holds. */
  value: AttributeValue | undefined;
  /** The whole field. */
  field: Uint8Array | undefined;
}

/**
 * Writes the attributes of spans. Most are said again and again: keys always, and many values from one span to the next
 * (method, scheme, host, system). Both are kept encoded, a value when it comes twice in a row, so that they are copied; of spans
 * with the same keys what lies side by side is copied at once.
 */
export class SpanAttributes {
  readonly #known = new Map<string, KnownKey>();
  /** By place, of the spans before: most have the same keys in the same order, which need no looking up. */
  readonly #places: (KnownKey | undefined)[] = new Array<KnownKey | undefined>(maxPlaces).fill(undefined);

  readonly #repeated = new RepeatedFields((writer, key, value, place) => this.#writeOne(writer, key, value, place));

  /** `scope` is the name of the span's. */
  write(writer: ReverseWriter, scope: string, attributes: Attributes): void {
    if (this.#repeated.write(writer, scope, attributes)) return;
    const keys = Object.keys(attributes);
    for (let index = keys.length - 1; index >= 0; index -= 1) {
      const key = keys[index] as string;
      this.#writeOne(writer, key, attributes[key], index);
    }
  }

  #writeOne(writer: ReverseWriter, key: string, value: AttributeValue | null | undefined, place: number): void {
    if (value === undefined || value === null) return;
    const known = this.#find(writer, key, place);
    if (known === undefined) writeField(writer, key, value);
    else if (known.field !== undefined && known.value === value) writer.bytes(known.field);
    else writeKnown(writer, known, value);
  }

  #find(writer: ReverseWriter, key: string, place: number): KnownKey | undefined {
    const before = this.#places[place];
    if (before !== undefined && before.key === key) return before;
    const known = this.#known.get(key) ?? this.#learn(writer, key);
    if (place < maxPlaces) this.#places[place] = known;
    return known;
  }

  #learn(writer: ReverseWriter, key: string): KnownKey | undefined {
    if (this.#known.size >= maxKeys) return undefined;
    const before = writer.length;
    writeKey(writer, key);
    const header = writer.take(before);
    const known: KnownKey = { key, header, last: undefined, value: undefined, field: undefined };
    this.#known.set(key, known);
    return known;
  }
}

function writeKnown(writer: ReverseWriter, known: KnownKey, value: AttributeValue): void {
  const before = writer.length;
  writer.anyValue(value);
  writer.nested(2, before);
  writer.bytes(known.header);
  writer.nested(attributesField, before);
  if (known.last !== value) known.last = value;
  else if (writer.length - before <= maxKeptBytes) {
    known.value = value;
    known.field = writer.copy(before);
  }
}

function writeField(writer: ReverseWriter, key: string, value: AttributeValue): void {
  const before = writer.length;
  writer.anyValue(value);
  writer.nested(2, before);
  writeKey(writer, key);
  writer.nested(attributesField, before);
}

function writeKey(writer: ReverseWriter, key: string): void {
  writer.text(key);
  writer.tag(1, 2);
}
