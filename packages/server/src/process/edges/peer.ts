import { AttributeType, type SpanBatch } from '@signalbox/records';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { boundedText } from '../bounded-text.ts';

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

/** Of the span that is looked at: the attribute that counts for each role, or -1, and its rank. */
const entries = new Int32Array(ROLES.length);
const ranks = new Uint8Array(ROLES.length);

/** The peer of a client's or producer's span; null when its attributes name none. */
export function peerOf(batch: SpanBatch, row: number): Peer | null {
  findNames(batch, row);
  const system = said(batch, 'databaseSystem')?.toLowerCase();
  if (system !== undefined) {
    const isCache = CACHES.has(system);
    // A cache's namespace is a number that says little; its address tells one from another.
    const which = isCache ? placeOf(batch) : (said(batch, 'databaseNamespace') ?? placeOf(batch));
    return { target: joined(system, which), targetType: isCache ? 'cache' : 'database' };
  }
  const messaging = said(batch, 'messagingSystem');
  if (messaging !== undefined) {
    return { target: joined(messaging, said(batch, 'destination') ?? placeOf(batch)), targetType: 'messaging' };
  }
  const target = said(batch, 'service') ?? placeOf(batch);
  return target === undefined ? null : { target, targetType: 'external' };
}

function placeOf(batch: SpanBatch): string | undefined {
  return said(batch, 'host') ?? hostOfUrl(said(batch, 'url')) ?? said(batch, 'address');
}

/** What the span says for a role. Texts are made only of what is asked for. */
function said({ bytes, attributes }: SpanBatch, role: Role): string | undefined {
  const entry = entries[ROLES.indexOf(role)] as number;
  const { start, end } = attributes.values;
  return entry < 0 ? undefined : boundedText(bytes, start[entry] as number, end[entry] as number);
}

function findNames({ bytes, attributes }: SpanBatch, row: number): void {
  const { keys, values } = attributes;
  entries.fill(-1);
  const last = attributes.offsets[row + 1] as number;
  for (let entry = attributes.offsets[row] as number; entry < last; entry++) {
    if (values.type[entry] !== AttributeType.String || values.end[entry] === values.start[entry]) {
      continue;
    }
    const known = knownName(bytes, keys.start[entry] as number, keys.end[entry] as number);
    if (known !== undefined && (entries[known.role] === -1 || known.rank < (ranks[known.role] as number))) {
      entries[known.role] = entry;
      ranks[known.role] = known.rank;
    }
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

function joined(system: string, which: string | undefined): string {
  return which === undefined ? system : `${system}:${which}`;
}
