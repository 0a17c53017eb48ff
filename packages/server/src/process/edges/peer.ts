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

interface KnownName {
  readonly bytes: Uint8Array;
  readonly role: Role;
  readonly rank: number;
}

/** By length in bytes. */
const BY_LENGTH: (KnownName[] | undefined)[] = [];
for (const [role, names] of Object.entries(NAMES) as [Role, readonly string[]][]) {
  for (const [rank, name] of names.entries()) {
    const sameLength = BY_LENGTH[name.length] ?? [];
    sameLength.push({ bytes: new Uint8Array(Buffer.from(name)), role, rank });
    BY_LENGTH[name.length] = sameLength;
  }
}

/** The peer of a client's or producer's span; null when its attributes name none. */
export function peerOf(batch: SpanBatch, row: number): Peer | null {
  const said = readNames(batch, row);
  const place = said.host ?? hostOfUrl(said.url) ?? said.address;
  if (said.databaseSystem !== undefined) {
    const system = said.databaseSystem.toLowerCase();
    const isCache = CACHES.has(system);
    // A cache's namespace is a number that says little; its address tells one from another.
    const which = isCache ? place : (said.databaseNamespace ?? place);
    return { target: joined(system, which), targetType: isCache ? 'cache' : 'database' };
  }
  if (said.messagingSystem !== undefined) {
    return { target: joined(said.messagingSystem, said.destination ?? place), targetType: 'messaging' };
  }
  const target = said.service ?? place;
  return target === undefined ? null : { target, targetType: 'external' };
}

function readNames({ bytes, attributes }: SpanBatch, row: number): Partial<Record<Role, string>> {
  const said: Partial<Record<Role, string>> = {};
  const ranks: Partial<Record<Role, number>> = {};
  const last = attributes.offsets[row + 1] as number;
  for (let entry = attributes.offsets[row] as number; entry < last; entry++) {
    const start = attributes.keys.start[entry] as number;
    const known = knownName(bytes, start, attributes.keys.end[entry] as number);
    const { values } = attributes;
    if (known === undefined || values.type[entry] !== AttributeType.String) {
      continue;
    }
    const from = values.start[entry] as number;
    const to = values.end[entry] as number;
    if (to > from && known.rank < (ranks[known.role] ?? Number.POSITIVE_INFINITY)) {
      ranks[known.role] = known.rank;
      said[known.role] = boundedText(bytes, from, to);
    }
  }
  return said;
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
