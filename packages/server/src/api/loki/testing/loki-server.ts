import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeLogs } from '@signalbox/otlp';
import { decodeLokiJson } from '@signalbox/protocols';
import { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { LogTail } from '../../../query/logs/log-tail.ts';
import { openStore } from '../../../store/open-store.ts';
import type { Store } from '../../../store/store.ts';
import { QueryRegistry } from '../../query-registry.ts';
import { createLokiApi } from '../loki-api.ts';
import { LokiTailServer } from '../tail-server.ts';

/** Loki's API over a store of its own, on a port of its own. */
export class LokiServer {
  readonly store: Store;
  readonly url: string;
  readonly logTail: LogTail;
  readonly #server: Server;
  readonly #tails: LokiTailServer;
  readonly #folder: string;

  static async open(): Promise<LokiServer> {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-loki-'));
    const store = await openStore({
      connection: { kind: 'embedded', folder },
      retention: { logsMs: 100 * 365 * 86_400_000 },
      retentionIntervalMs: 0,
    });
    const logTail = new LogTail();
    const common = {
      connection: store.connection,
      catalog: new StreamCatalog(10_000),
      limits: { maxSamples: 1_000_000, maxSeries: 500, maxSteps: 11_000 },
      maxExecutionMs: 30_000,
      allowedHosts: [],
      onError: (error: unknown) => console.error(error),
    };
    const status = { version: 'test', maxSeries: 500, retentionMs: 86_400_000 };
    const handle = createLokiApi({ ...common, registry: new QueryRegistry(), status });
    const tails = new LokiTailServer({ ...common, logTail });
    const server = createServer((request, response) => {
      void handle(request, response).then((isAnswered) => {
        if (!isAnswered) response.writeHead(404).end();
      });
    });
    server.on('upgrade', (request, socket, head: Buffer) => {
      if (!tails.upgrade(request, socket, head)) socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LokiServer(store, logTail, server, tails, folder);
  }

  private constructor(store: Store, logTail: LogTail, server: Server, tails: LokiTailServer, folder: string) {
    this.store = store;
    this.logTail = logTail;
    this.#tails = tails;
    this.#server = server;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param streams as Loki's push API has them */
  async push(streams: readonly { stream: object; values: readonly (readonly unknown[])[] }[]): Promise<void> {
    const batch = decodeLokiJson(Buffer.from(JSON.stringify({ streams })));
    await this.store.logs.consume(batch);
    this.logTail.publish(batch);
  }

  /** @param request an ExportLogsServiceRequest as OTLP/JSON has it */
  async pushOtlp(request: object): Promise<void> {
    const { batch, rejected } = decodeLogs(Buffer.from(JSON.stringify(request)), 'json');
    if (rejected !== null) throw new Error('records were rejected');
    await this.store.logs.consume(batch);
  }

  async get(
    path: string,
    parameters: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; type: string; text: string }> {
    const response = await fetch(`${this.url}/${path}?${new URLSearchParams(parameters)}`, { headers });
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  }

  /** The JSON of an answer; throws an Error with its text unless it is a success. */
  async json<Answer>(
    path: string,
    parameters: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { status, text } = await this.get(`loki/api/v1/${path}`, parameters, headers);
    if (status !== 200) throw new Error(text);
    return JSON.parse(text) as Answer;
  }

  async close(): Promise<void> {
    this.#tails.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.store.shutdown(2_000);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
