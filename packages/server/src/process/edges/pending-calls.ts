import { randomInt } from 'node:crypto';
import type { SpanBatch } from '@signalbox/records';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';

/** A call as its caller saw it. */
export interface Call {
  /** The caller. */
  source: string;
  /** Seconds since 1970: the 10 seconds that it is counted in. */
  time: number;
  /** Nanoseconds. */
  duration: number;
  error: boolean;
  /** How many calls it stands for. */
  weight: number;
}

/** What a waiting place holds. */
export const Waiting = {
  /** The caller's span. */
  Call: 1,
  /** The caller's span, of a message: several may receive it, so it stays until it expires. */
  Message: 2,
  /** The span of a service that was called, which came before the caller's. */
  Receiver: 3,
} as const;
export type Waiting = (typeof Waiting)[keyof typeof Waiting];

const NONE = -1;
const KEY_WORDS = 6;
const FIRST_CAPACITY = 1_024;

/** So that nobody outside knows which keys share a bucket. */
const SEED = randomInt(2 ** 32) | 0;

/**
 * Calls that wait for their other side, by trace id and caller's span id: at most `maxEntries`, each for at most `maxAgeMs`.
 *
 * There may be a hundred thousand of them at any time, so they are columns rather than objects, which garbage collection would walk
 * again and again. A call is known by its place, until it is removed. Places form a hash table with chains, and a list by age.
 */
export class PendingCalls {
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;
  #size = 0;
  #oldest = NONE;
  #newest = NONE;
  /** The first of the free places, which are linked by `#younger`. */
  #free = NONE;
  /** The key of the last `find`, and its hash. */
  readonly #key = new Uint32Array(KEY_WORDS);
  #hash = 0;
  /** By hash: the first place of the chain. As many as there are places, a power of two. */
  #chains = new Int32Array(0);
  #nextInChain = new Int32Array(0);
  #older = new Int32Array(0);
  #younger = new Int32Array(0);
  #hashes = new Uint32Array(0);
  #keys = new Uint32Array(0);
  #expiresAt = new Float64Array(0);
  #waiting = new Uint8Array(0);
  #matched = new Uint8Array(0);
  #error = new Uint8Array(0);
  #time = new Float64Array(0);
  #duration = new Float64Array(0);
  #weight = new Float64Array(0);
  readonly #source: string[] = [];
  /** Of a caller's span: what it names as called; null: nothing, or nobody will ask. Of a receiver: the first service called. */
  readonly #target: (string | null)[] = [];
  readonly #targetType: EdgeRow['targetType'][] = [];
  /** The other services that one message reached, by place. */
  readonly #moreTargets = new Map<number, string[]>();

  constructor(maxEntries: number, maxAgeMs: number) {
    this.#maxEntries = maxEntries;
    this.#maxAgeMs = maxAgeMs;
    this.#grow(FIRST_CAPACITY);
  }

  get isFull(): boolean {
    return this.#size >= this.#maxEntries;
  }

  /** The place of the one that waits longest; -1 when none does. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The place of what waits for row `row`'s trace and the span in `spanIds`; -1 when nothing does. `add` then takes that key. */
  find({ traceId }: SpanBatch, spanIds: Uint8Array, row: number): number {
    const key = this.#key;
    for (let word = 0; word < 4; word++) {
      key[word] = wordAt(traceId, row * 16 + word * 4);
    }
    key[4] = wordAt(spanIds, row * 8);
    key[5] = wordAt(spanIds, row * 8 + 4);
    let hash = SEED;
    for (let word = 0; word < KEY_WORDS; word++) {
      hash = Math.imul(hash ^ key[word], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    this.#hash = hash >>> 0;
    let place = this.#chains[this.#hash & (this.#chains.length - 1)];
    while (place !== NONE && !this.#hasKey(place)) {
      place = this.#nextInChain[place];
    }
    return place;
  }

  /** Adds a caller's span under the key of the last `find`, which must have found nothing. There must be room. */
  addCall(
    waiting: Waiting,
    call: Call,
    peer: { target: string; targetType: EdgeRow['targetType'] } | null,
    now: number,
  ) {
    const place = this.#add(waiting, now);
    this.#source[place] = call.source;
    this.#time[place] = call.time;
    this.#duration[place] = call.duration;
    this.#error[place] = call.error ? 1 : 0;
    this.#weight[place] = call.weight;
    this.#target[place] = peer === null ? null : peer.target;
    this.#targetType[place] = peer === null ? 'service' : peer.targetType;
    return place;
  }

  /** Adds the span of a service that was called, as `addCall` does. */
  addReceiver(target: string, now: number): void {
    const place = this.#add(Waiting.Receiver, now);
    this.#source[place] = '';
    this.#target[place] = target;
  }

  waiting(place: number): Waiting {
    return this.#waiting[place] as Waiting;
  }

  isMatched(place: number): boolean {
    return this.#matched[place] === 1;
  }

  setMatched(place: number): void {
    this.#matched[place] = 1;
  }

  /** Writes the call that waits there into `call`. */
  readCall(place: number, call: Call): void {
    call.source = this.#source[place] as string;
    call.time = this.#time[place];
    call.duration = this.#duration[place];
    call.error = this.#error[place] === 1;
    call.weight = this.#weight[place];
  }

  /** What the caller's span names, or the first service that was called. */
  target(place: number): string | null {
    return this.#target[place] as string | null;
  }

  targetType(place: number): EdgeRow['targetType'] {
    return this.#targetType[place] as EdgeRow['targetType'];
  }

  /** Further services that one message has reached. */
  moreTargets(place: number): readonly string[] {
    return this.#moreTargets.get(place) ?? [];
  }

  /** Remembers another service that a message has reached, `max` at most in all. */
  addTarget(place: number, target: string, max: number): void {
    const more = this.#moreTargets.get(place);
    if (more === undefined) {
      this.#moreTargets.set(place, [target]);
    } else if (more.length + 1 < max) {
      more.push(target);
    }
  }

  /** Whether the one that waits longest has waited long enough. */
  isOldestOver(now: number): boolean {
    return this.#oldest !== NONE && this.#expiresAt[this.#oldest] <= now;
  }

  remove(place: number): void {
    this.#unchain(place);
    const older = this.#older[place];
    const younger = this.#younger[place];
    if (older === NONE) {
      this.#oldest = younger;
    } else {
      this.#younger[older] = younger;
    }
    if (younger === NONE) {
      this.#newest = older;
    } else {
      this.#older[younger] = older;
    }
    this.#younger[place] = this.#free;
    this.#free = place;
    this.#size--;
    // Texts must not be kept by a place that nobody uses.
    this.#source[place] = '';
    this.#target[place] = null;
    if (this.#moreTargets.size > 0) {
      this.#moreTargets.delete(place);
    }
  }

  #add(waiting: Waiting, now: number): number {
    if (this.#free === NONE) {
      this.#grow(this.#chains.length * 2);
    }
    const place = this.#free;
    this.#free = this.#younger[place];
    this.#size++;
    this.#waiting[place] = waiting;
    this.#matched[place] = 0;
    this.#expiresAt[place] = now + this.#maxAgeMs;
    this.#keys.set(this.#key, place * KEY_WORDS);
    this.#hashes[place] = this.#hash;
    this.#chain(place);
    this.#older[place] = this.#newest;
    this.#younger[place] = NONE;
    if (this.#newest === NONE) {
      this.#oldest = place;
    } else {
      this.#younger[this.#newest] = place;
    }
    this.#newest = place;
    return place;
  }

  #hasKey(place: number): boolean {
    if (this.#hashes[place] !== this.#hash) {
      return false;
    }
    const at = place * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) {
      if (this.#keys[at + word] !== this.#key[word]) {
        return false;
      }
    }
    return true;
  }

  #chain(place: number): void {
    const bucket = this.#hashes[place] & (this.#chains.length - 1);
    this.#nextInChain[place] = this.#chains[bucket];
    this.#chains[bucket] = place;
  }

  #unchain(place: number): void {
    const bucket = this.#hashes[place] & (this.#chains.length - 1);
    let at = this.#chains[bucket];
    if (at === place) {
      this.#chains[bucket] = this.#nextInChain[place];
      return;
    }
    while (this.#nextInChain[at] !== place) {
      at = this.#nextInChain[at];
    }
    this.#nextInChain[at] = this.#nextInChain[place];
  }

  /** Makes room for `capacity` places, a power of two; all that there were are taken. */
  #grow(capacity: number): void {
    const before = this.#chains.length;
    this.#nextInChain = grown(this.#nextInChain, new Int32Array(capacity));
    this.#older = grown(this.#older, new Int32Array(capacity));
    this.#younger = grown(this.#younger, new Int32Array(capacity));
    this.#hashes = grown(this.#hashes, new Uint32Array(capacity));
    this.#keys = grown(this.#keys, new Uint32Array(capacity * KEY_WORDS));
    this.#expiresAt = grown(this.#expiresAt, new Float64Array(capacity));
    this.#waiting = grown(this.#waiting, new Uint8Array(capacity));
    this.#matched = grown(this.#matched, new Uint8Array(capacity));
    this.#error = grown(this.#error, new Uint8Array(capacity));
    this.#time = grown(this.#time, new Float64Array(capacity));
    this.#duration = grown(this.#duration, new Float64Array(capacity));
    this.#weight = grown(this.#weight, new Float64Array(capacity));
    this.#chains = new Int32Array(capacity).fill(NONE);
    for (let place = 0; place < before; place++) {
      this.#chain(place);
    }
    for (let place = capacity - 1; place >= before; place--) {
      this.#younger[place] = this.#free;
      this.#free = place;
    }
  }
}

function grown<Column extends { set(from: Column): void }>(before: Column, column: Column): Column {
  column.set(before);
  return column;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
