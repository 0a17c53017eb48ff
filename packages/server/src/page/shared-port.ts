import type { Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface SharedPortOptions {
  readonly maxConnections: number;
  /** Time for a connection's first bytes, in milliseconds. */
  readonly handshakeTimeoutMs: number;
}

/**
 * One port for HTTP/1 and for HTTP/2 without TLS (h2c): a connection's first bytes tell which it speaks, as HTTP/2 begins with
 * a preface that is no request of HTTP/1.
 */
export class SharedPort {
  /** Listens. */
  readonly server: Server;
  readonly http2: Http2Server;
  readonly #http1: HttpServer;
  readonly #options: SharedPortOptions;
  readonly #silent = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(http1: HttpServer, options: SharedPortOptions) {
    this.#http1 = http1;
    this.#options = options;
    this.http2 = createHttp2Server({ settings: { maxConcurrentStreams: 64 }, maxSessionMemory: 4 });
    this.http2.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    this.server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.server.maxConnections = options.maxConnections;
    // It never listens itself, but watches over its connections from this event on.
    this.server.on('listening', () => http1.emit('listening'));
  }

  /** Stops accepting; resolves when all connections are gone, which are cut after that time. */
  close(cutAfterMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => {
        this.#http1.closeAllConnections();
        for (const session of this.#sessions) session.destroy();
      }, cutAfterMs);
      this.server.close(() => {
        clearTimeout(cut);
        // Ends what watches over connections; it has none to close, and says so.
        this.#http1.close(() => resolve());
      });
      this.#http1.closeIdleConnections();
      for (const session of this.#sessions) session.close();
      for (const socket of this.#silent) socket.destroy();
    });
  }

  #accept(socket: Socket): void {
    this.#silent.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#options.handshakeTimeoutMs);
    const onClose = (): void => {
      clearTimeout(timer);
      this.#silent.delete(socket);
    };
    const onError = (): void => {
      socket.destroy();
    };
    socket.once('close', onClose);
    socket.on('error', onError);
    let first = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk]);
      const length = Math.min(first.length, PREFACE.length);
      const isPreface = first.compare(PREFACE, 0, length, 0, length) === 0;
      // "P" alone may still become POST.
      if (isPreface && length < 3) return;
      onClose();
      socket.off('data', onData).off('close', onClose).off('error', onError);
      socket.pause();
      socket.unshift(first);
      (isPreface ? this.http2 : this.#http1).emit('connection', socket);
      process.nextTick(() => socket.resume());
    };
    socket.on('data', onData);
  }
}
