import { AttributeType, type SpanBatch } from '@signalbox/records';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { KnownTexts } from '../known-texts.ts';

/** What a span calls, as far as the span itself says. */
export interface Peer {
  readonly target: string;
  readonly targetType: EdgeRow['targetType'];
}

/** Systems of `db.system.name` and `db.system` that keep what can be had elsewhere. */
const CACHES: ReadonlySet<string> = new Set(['redis', 'memcached', 'valkey', 'dragonfly', 'keydb', 'garnet']);

/**
 * Attributes that name a peer, stable names before the ones that they replaced (OpenTelemetry semantic conventions).
 * The place in a list is its rank: the first that a span has counts.
 */
const NAMES = {
  databaseSystem: ['db.system.name', 'db.system'],
  databaseNamespace: ['db.namespace', 'db.name'],
  messagingSystem: ['messaging.system'],
  destination: ['messaging.destination.template', 'messaging.destination.name', 'messaging.destination'],
  service: ['service.peer.name', 'peer.service'],
  host: ['server.address', 'net.peer.name', 'http.host'],
  url: ['url.full', 'http.url'],
  address: ['network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'],
} as const satisfies Record<string, readonly string[]>;

type Role = keyof typeof NAMES;

const ROLES = Object.keys(NAMES) as Role[];

/** Place of each role in ROLES. */
const ROLE_NUMBERS = Object.fromEntries(ROLES.map((role, index) => [role, index])) as Record<Role, number>;

interface KnownName {
  readonly bytes: Uint8Array;
  /** Place in ROLES. */
  readonly role: number;
  readonly rank: number;
}

/** By length in bytes. */
const BY_LENGTH: (KnownName[] | undefined)[] = [];
for (const [role, names] of Object.values(NAMES).entries()) {
  for (const [rank, name] of (names as readonly string[]).entries()) {
    const sameLength = BY_LENGTH[name.length] ?? [];
    sameLength.push({ bytes: new Uint8Array(Buffer.from(name)), role, rank });
    BY_LENGTH[name.length] = sameLength;
  }
}

/** Joined names that are remembered. */
const MAX_JOINED = 4_096;

/** Finds what the spans of clients and producers call, one span at a time: `look` at it, then ask, with the same batch. */
export class PeerFinder {
  readonly #texts = new KnownTexts();
  /** Names joined of two, by both: joining costs little, but maps would have to hash the new text each time. */
  readonly #joined = new Map<string, Map<string, string>>();
  #joinedCount = 0;
  /** Of the span that is looked at: the attribute that counts for each role, or -1, and its rank. */
  readonly #entries = new Int32Array(ROLES.length);
  readonly #ranks = new Uint8Array(ROLES.length);

  look({ bytes, attributes }: SpanBatch, row: number): void {
    const { keys, values } = attributes;
    this.#entries.fill(-1);
    const last = attributes.offsets[row + 1] as number;
    for (let entry = attributes.offsets[row] as number; entry < last; entry++) {
      if (values.type[entry] !== AttributeType.String || values.end[entry] === values.start[entry]) {
        continue;
      }
      const known = knownName(bytes, keys.start[entry] as number, keys.end[entry] as number);
      if (known !== undefined) {
        const { role, rank } = known;
        if (this.#entries[role] === -1 || rank < (this.#ranks[role] as number)) {
          this.#entries[role] = entry;
          this.#ranks[role] = rank;
        }
      }
    }
  }

  /** Whether it calls a database or a cache, which send no spans of their own. */
  get callsDatabase(): boolean {
    return this.#entries[ROLE_NUMBERS.databaseSystem] !== -1;
  }

  /** What it calls; null when its attributes name nothing. */
  peer(batch: SpanBatch): Peer | null {
    const system = this.#said(batch, 'databaseSystem')?.toLowerCase();
    if (system !== undefined) {
      const isCache = CACHES.has(system);
      // A cache's namespace is a number that says little; its address tells one from another.
      const which = isCache ? this.#place(batch) : (this.#said(batch, 'databaseNamespace') ?? this.#place(batch));
      return { target: this.#join(system, which), targetType: isCache ? 'cache' : 'database' };
    }
    const messaging = this.#said(batch, 'messagingSystem');
    if (messaging !== undefined) {
      return {
        target: this.#join(messaging, this.#said(batch, 'destination') ?? this.#place(batch)),
        targetType: 'messaging',
      };
    }
    const target = this.#said(batch, 'service') ?? this.#place(batch);
    return target === undefined ? null : { target, targetType: 'external' };
  }

  #place(batch: SpanBatch): string | undefined {
    return this.#said(batch, 'host') ?? hostOfUrl(this.#said(batch, 'url')) ?? this.#said(batch, 'address');
  }

  /** What the span says for a role. Texts are made only of what is asked for. */
  #said({ bytes, attributes }: SpanBatch, role: Role): string | undefined {
    const entry = this.#entries[ROLE_NUMBERS[role]] as number;
    if (entry < 0) {
      return undefined;
    }
    const { start, end } = attributes.values;
    return this.#texts.find(bytes, start[entry] as number, end[entry] as number);
  }

  #join(system: string, which: string | undefined): string {
    if (which === undefined) {
      return system;
    }
    const known = this.#joined.get(system)?.get(which);
    if (known !== undefined) {
      return known;
    }
    if (++this.#joinedCount > MAX_JOINED) {
      this.#joined.clear();
      this.#joinedCount = 1;
    }
    const name = `${system}:${which}`;
    const ofSystem = this.#joined.get(system) ?? new Map<string, string>();
    this.#joined.set(system, ofSystem.set(which, name));
    return name;
  }
}

/** Runs for each attribute of each call, so it is written without closures. */
function knownName(bytes: Uint8Array, start: number, end: number): KnownName | undefined {
  const length = end - start;
  const candidates = BY_LENGTH[length];
  if (candidates === undefined) {
    return undefined;
  }
  search: for (const candidate of candidates) {
    // From the end: the names begin alike.
    for (let i = length - 1; i >= 0; i--) {
      if (candidate.bytes[i] !== bytes[start + i]) {
        continue search;
      }
    }
    return candidate;
  }
  return undefined;
}

function hostOfUrl(url: string | undefined): string | undefined {
  // Not the whole of URL syntax: user, host and port after `//` are enough, and a URL cut short still has them.
  return url === undefined ? undefined : /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)/i.exec(url)?.[1];
}
