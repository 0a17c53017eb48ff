import { boundedText, MAX_NAME_BYTES, OTHER } from '../bounded-text.ts';

const HOUR_MS = 3_600_000;

export interface OperationNamesLimits {
  /** Span names per service and hour; the rest are `(other)`. */
  readonly maxNamesPerService: number;
  /** Span names of all services per hour. */
  readonly maxNames: number;
  readonly maxServices: number;
}

/** A service's operation, one object each as long as the hour lasts: rows are grouped by it. */
export interface Operation {
  readonly service: string;
  readonly name: string;
}

interface KnownOperation extends Operation {
  readonly bytes: Uint8Array;
}

/** Operations of one service, found by the bytes of their names. */
export class ServiceOperations {
  readonly #service: string;
  readonly #byHash = new Map<number, KnownOperation[]>();
  readonly #other: Operation;
  size = 0;

  constructor(service: string) {
    this.#service = service;
    this.#other = { service, name: OTHER };
  }

  /** The operation whose name is at `start` to `end`; `mayAdd` decides about one not seen this hour. */
  find(bytes: Uint8Array, start: number, nameEnd: number, mayAdd: () => boolean): Operation {
    const end = Math.min(nameEnd, start + MAX_NAME_BYTES);
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    }
    const candidates = this.#byHash.get(hash);
    if (candidates !== undefined) {
      for (const candidate of candidates) {
        if (equal(candidate.bytes, bytes, start, end)) {
          return candidate;
        }
      }
    }
    // Names made to collide would make lists long; they are too strange to matter.
    if ((candidates?.length ?? 0) >= 8 || !mayAdd()) {
      return this.#other;
    }
    const added = { service: this.#service, name: boundedText(bytes, start, nameEnd), bytes: bytes.slice(start, end) };
    if (candidates === undefined) {
      this.#byHash.set(hash, [added]);
    } else {
      candidates.push(added);
    }
    this.size++;
    return added;
  }
}

/** Finds operations without making a string for a name that was seen this hour, and bounds how many there are. */
export class OperationNames {
  readonly #limits: OperationNamesLimits;
  readonly #now: () => number;
  readonly #services = new Map<string, ServiceOperations>();
  #names = 0;
  #resetAt = 0;

  /** `now` is in milliseconds. */
  constructor(limits: OperationNamesLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Starts a new hour when it is time; call it between batches, for operations of the old hour are then different objects. */
  expire(): void {
    const now = this.#now();
    if (now >= this.#resetAt) {
      this.#resetAt = now + HOUR_MS;
      this.#services.clear();
      this.#names = 0;
    }
  }

  service(name: string): ServiceOperations {
    const known = this.#services.get(name);
    if (known !== undefined) {
      return known;
    }
    if (this.#services.size >= this.#limits.maxServices && name !== OTHER) {
      return this.service(OTHER);
    }
    const added = new ServiceOperations(name);
    this.#services.set(name, added);
    return added;
  }

  find(operations: ServiceOperations, bytes: Uint8Array, start: number, end: number): Operation {
    return operations.find(bytes, start, end, () => {
      const mayAdd = operations.size < this.#limits.maxNamesPerService && this.#names < this.#limits.maxNames;
      this.#names += mayAdd ? 1 : 0;
      return mayAdd;
    });
  }
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) {
    return false;
  }
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== bytes[start + i]) {
      return false;
    }
  }
  return true;
}
