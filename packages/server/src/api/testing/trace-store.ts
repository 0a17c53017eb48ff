import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeTraces } from '@signalbox/otlp';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';

/** A store that takes OTLP/JSON as a receiver would, of any time since 1970, behind an API on a port of its own. */
export class TraceStore {
  readonly store: Store;
  readonly #folder: string;
  readonly #server: Server;

  static async open(
    createApi: (store: Store) => (request: IncomingMessage, response: ServerResponse) => Promise<boolean>,
  ): Promise<TraceStore> {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-traces-'));
    const store = await openStore({
      connection: { kind: 'embedded', folder },
      retention: { tracesMs: 100 * 365 * 86_400_000 },
      retentionIntervalMs: 0,
    });
    const api = createApi(store);
    const server = createServer((request, response) => {
      void api(request, response).then((isAnswered) => {
        if (!isAnswered) response.writeHead(404).end('not of this API');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TraceStore(store, folder, server);
  }

  private constructor(store: Store, folder: string, server: Server) {
    this.store = store;
    this.#folder = folder;
    this.#server = server;
  }

  /** @param request an ExportTraceServiceRequest as OTLP/JSON has it */
  async insert(request: object): Promise<void> {
    const { batch, rejected } = decodeTraces(Buffer.from(JSON.stringify(request)), 'json');
    const result = await this.store.spans.consume(batch);
    if (rejected !== null || result.rejected > 0) {
      throw new Error(`Spans were rejected: ${rejected?.reason ?? result.reason}`);
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async fetch(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(`${this.url}${path}`, { headers });
  }

  async json(path: string): Promise<unknown> {
    const response = await this.fetch(path);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.store.shutdown(2_000);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
