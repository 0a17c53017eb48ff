import type { AttributeEntry } from '@signalbox/records';

export type ConnectionType = '' | 'messaging_system' | 'database' | 'virtual_node';

/** What is known of one side of a request. */
export interface EdgeSide {
  readonly service: string;
  /** Seconds. */
  readonly duration: number;
  readonly dimensions: readonly AttributeEntry[];
}

/** A request between two services, of which one side's span may still be missing. */
export interface Edge {
  client: EdgeSide | null;
  server: EdgeSide | null;
  connectionType: ConnectionType;
  failed: boolean;
  /** The name of what a client called, from its span's attributes; null: they name nothing. */
  peer: string | null;
  /** The server's span has no parent, so no client's span will come. */
  isRoot: boolean;
  weight: number;
  readonly expiresAt: number;
}

/** Edges that wait for their other side: at most `maxItems`, each until its time. All times are in milliseconds. */
export class PendingEdges {
  readonly #edges = new Map<string, Edge>();
  readonly #maxItems: number;
  readonly #ttlMs: number;

  constructor(maxItems: number, ttlMs: number) {
    this.#maxItems = maxItems;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#edges.size;
  }

  /** The edge of this key, or a new one; the oldest leaves for it if there is no room, and is returned as `expelled`. */
  edge(key: string, now: number): { readonly edge: Edge; readonly expelled: Edge | undefined } {
    const known = this.#edges.get(key);
    if (known !== undefined) {
      return { edge: known, expelled: undefined };
    }
    let expelled: Edge | undefined;
    if (this.#edges.size >= this.#maxItems) {
      for (const [oldest, edge] of this.#edges) {
        this.#edges.delete(oldest);
        expelled = edge;
        break;
      }
    }
    const edge: Edge = {
      client: null,
      server: null,
      connectionType: '',
      failed: false,
      peer: null,
      isRoot: false,
      weight: 1,
      expiresAt: now + this.#ttlMs,
    };
    this.#edges.set(key, edge);
    return { edge, expelled };
  }

  delete(key: string): void {
    this.#edges.delete(key);
  }

  /** Removes and returns the edges whose time is over. */
  expire(now: number): Edge[] {
    const expired: Edge[] = [];
    for (const [key, edge] of this.#edges) {
      if (edge.expiresAt > now) {
        break;
      }
      this.#edges.delete(key);
      expired.push(edge);
    }
    return expired;
  }
}
