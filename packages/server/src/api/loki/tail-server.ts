import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { parseLogql } from '@signalbox/query-language';
import { type WebSocket, WebSocketServer } from 'ws';
import { HostCheck } from '../../page/host-check.ts';
import { type LogLine, LogqlEngine, type LogqlLimits } from '../../query/logql/engine.ts';
import { StoreLogs } from '../../query/logql-store/store-logs.ts';
import type { StreamCatalog } from '../../query/logql-store/stream-catalog.ts';
import type { LogTail } from '../../query/logs/log-tail.ts';
import type { Connection } from '../../store/connection.ts';
import { checkOrigin } from '../check-origin.ts';
import { LineTail } from './line-tail.ts';
import { LokiError, toLokiError } from './loki-error.ts';
import { LokiParameters } from './loki-parameters.ts';

export interface LokiTailOptions {
  /** The store's: `store.connection`. */
  readonly connection: Connection;
  readonly catalog: StreamCatalog;
  readonly logTail: LogTail;
  readonly limits: LogqlLimits;
  /** Milliseconds that reading the lines before the tail may take. */
  readonly maxExecutionMs: number;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

const path = '/loki/api/v1/tail';
const hourNs = 3_600_000_000_000n;
/** Messages of a client: it has nothing to say. */
const maxPayload = 1024;

/** Loki's live tail: a WebSocket that tells lines of a query as they come, after some that came before. */
export class LokiTailServer {
  readonly #options: LokiTailOptions;
  readonly #hosts: HostCheck;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });

  constructor(options: LokiTailOptions) {
    this.#options = options;
    this.#hosts = new HostCheck(options.allowedHosts);
  }

  /** Takes over the connection, or gives false at once for what is not Loki's tail. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const [asked = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    if (asked !== path) return false;
    try {
      checkOrigin(request, this.#hosts);
      const parameters = new LokiParameters(new URLSearchParams(search), Date.now());
      const tail = this.#tail(request, parameters);
      const { limit, startNs } = readHistory(parameters);
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('error', () => webSocket.terminate());
        if (!this.#start(tail, webSocket)) return;
        void this.#history(tail, parameters.text('query'), limit, startNs, webSocket);
      });
    } catch (error) {
      const { status, text, isBug } = toLokiError(error);
      if (isBug) this.#options.onError(error);
      refuse(socket, status, text);
    }
    return true;
  }

  /** Closes all tails. */
  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #tail(request: IncomingMessage, parameters: LokiParameters): LineTail {
    const expr = parseLogql(parameters.text('query'));
    if (expr.kind !== 'log') throw new LokiError(400, 'only log selector is supported');
    const flags = String(request.headers['x-loki-response-encoding-flags'] ?? '');
    return new LineTail(this.#options.logTail, expr, flags.includes('categorize-labels'));
  }

  #start(tail: LineTail, webSocket: WebSocket): boolean {
    try {
      tail.start(webSocket);
      return true;
    } catch (error) {
      // 1013: try again later.
      webSocket.close(1013, toLokiError(error).text.slice(0, 100));
      return false;
    }
  }

  /** Lines that came before, which are told first. */
  async #history(tail: LineTail, query: string, limit: number, startNs: bigint, webSocket: WebSocket): Promise<void> {
    const nowMs = Date.now();
    const closed = new AbortController();
    webSocket.on('close', () => closed.abort());
    const { connection, catalog, limits, maxExecutionMs } = this.#options;
    const context = { connection, signal: closed.signal, deadlineMs: nowMs + maxExecutionMs, nowMs };
    let lines: readonly LogLine[] = [];
    try {
      const range = { startNs, endNs: BigInt(nowMs) * 1_000_000n, stepNs: 1n, limit, direction: 'backward' as const };
      const engine = new LogqlEngine(new StoreLogs(context, catalog), limits);
      const { result } = await engine.queryRange(query, range, closed.signal);
      if (result.type === 'streams') lines = result.lines.toReversed();
    } catch (error) {
      const { text, isBug } = toLokiError(error);
      if (isBug) this.#options.onError(error);
      // 1011: the server met something that keeps it from going on.
      webSocket.close(1011, text.slice(0, 100));
      return;
    }
    tail.begin(lines);
  }
}

function readHistory(parameters: LokiParameters): { limit: number; startNs: bigint } {
  const startNs = parameters.text('start') === '' ? parameters.time('end') - hourNs : parameters.time('start');
  return { limit: parameters.limit(), startNs };
}

function refuse(socket: Duplex, status: number, text: string): void {
  const body = Buffer.from(text);
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 ${status} \r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.end(body);
}
