/**
 * The names of a JSON object's fields, numbered from 1 in the order given. 0 stands for any other name:
 * OTLP/JSON demands lowerCamelCase (snake_case is unknown) and that unknown fields are ignored.
 */
export class FieldNames {
  readonly #byLength: ({ readonly bytes: Uint8Array; readonly number: number }[] | undefined)[] = [];

  constructor(...names: string[]) {
    for (const [index, name] of names.entries()) {
      const bytes = new TextEncoder().encode(name);
      const sameLength = this.#byLength[bytes.length] ?? [];
      sameLength.push({ bytes, number: index + 1 });
      this.#byLength[bytes.length] = sameLength;
    }
  }

  numberOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const candidates = this.#byLength[length];
    if (candidates === undefined) {
      return 0;
    }
    search: for (const candidate of candidates) {
      const name = candidate.bytes;
      for (let i = 0; i < length; i++) {
        if (bytes[start + i] !== name[i]) {
          continue search;
        }
      }
      return candidate.number;
    }
    return 0;
  }
}
