import { createHash } from 'node:crypto';
import { observeStore } from '@signalbox/node';
import type { Peer } from './rpc.ts';

const maxEntries = 10_000;

/** A store that the nodes share: each key lives on one of them, which the others ask. */
export class SharedStore {
  /** For calls of other nodes: what lives here. */
  readonly handlers = {
    'kv.get': (key: unknown) => this.#local.get(String(key)) ?? null,
    'kv.put': (input: unknown) => {
      const { key, value } = input as { key: string; value: string };
      if (!this.#values.has(key) && this.#values.size >= maxEntries)
        throw new Error(`this node holds ${maxEntries} keys already`);
      this.#local.put(key, value);
      return null;
    },
  };
  readonly #values = new Map<string, string>();
  readonly #local: { get(key: string): string | undefined; put(key: string, value: string): void };
  readonly #name: string;
  #nodes: readonly { readonly name: string; readonly peer: Peer | undefined }[];

  constructor(name: string) {
    this.#name = name;
    this.#nodes = [{ name, peer: undefined }];
    const values = this.#values;
    const plain = {
      get: (key: string) => values.get(key),
      put: (key: string, value: string) => void values.set(key, value),
    };
    this.#local = observeStore(plain, { namespace: 'shared', node: name, keys: true });
  }

  join(peers: readonly Peer[]): void {
    const others = peers.map((peer) => ({ name: peer.name, peer }));
    this.#nodes = [{ name: this.#name, peer: undefined }, ...others].sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
  }

  get nodes(): string[] {
    return this.#nodes.map(({ name }) => name);
  }

  async get(key: string): Promise<string | null> {
    const owner = this.#ownerOf(key);
    const value = owner === undefined ? this.handlers['kv.get'](key) : await owner.call('kv.get', key);
    return typeof value === 'string' ? value : null;
  }

  async put(key: string, value: string): Promise<void> {
    const owner = this.#ownerOf(key);
    if (owner === undefined) this.handlers['kv.put']({ key, value });
    else await owner.call('kv.put', { key, value });
  }

  /** Undefined where that is this node. */
  #ownerOf(key: string): Peer | undefined {
    const hash = createHash('sha256').update(key).digest().readUInt32BE();
    return this.#nodes[hash % this.#nodes.length]?.peer;
  }
}
