import { boundedText, MAX_NAME_BYTES } from './bounded-text.ts';

interface KnownText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A power of two: the last bits of a hash name the place. */
const PLACES = 4_096;

/**
 * Bounded texts by their bytes. One that was asked for lately is the same string as then: nothing is decoded, and maps know its hash
 * already. A text has one place, which another one may take, so that there are never more than 4,096 of at most MAX_NAME_BYTES.
 */
export class KnownTexts {
  readonly #places = new Array<KnownText | undefined>(PLACES).fill(undefined);

  /** What `boundedText` gives. */
  find(bytes: Uint8Array, start: number, end: number): string {
    if (end - start > MAX_NAME_BYTES) {
      return boundedText(bytes, start, end);
    }
    // FNV-1a
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    }
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1);
    const known = this.#places[place];
    if (known !== undefined && equal(known.bytes, bytes, start, end)) {
      return known.text;
    }
    const text = boundedText(bytes, start, end);
    this.#places[place] = { bytes: new Uint8Array(bytes.subarray(start, end)), text };
    return text;
  }
}

function equal(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = known;
  if (length !== end - start) {
    return false;
  }
  for (let i = 0; i < length; i++) {
    if (known[i] !== bytes[start + i]) {
      return false;
    }
  }
  return true;
}
