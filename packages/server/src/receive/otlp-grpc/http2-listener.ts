import { createServer as createHttp2Server, type Http2Server, type ServerOptions } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const WRONG_PORT =
  '400 this port speaks OTLP over gRPC; OTLP over HTTP has a port of its own (4318, unless --otlp-http-port says otherwise)\n';

export interface Http2ListenerOptions {
  readonly maxConnections: number;
  /** Time for a connection's first byte, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  readonly http2: ServerOptions;
  /** null: plaintext. */
  readonly tls: TlsOptions | null;
}

/**
 * An HTTP/2 server that looks at a connection's first bytes: whoever sends HTTP/1 (OTLP's two ports are easily
 * mistaken for each other) is told so in words rather than by a broken connection.
 */
export class Http2Listener {
  /** Accepts connections. */
  readonly server: Server;
  /** Speaks on those that open with HTTP/2's preface. */
  readonly http2: Http2Server;
  readonly #handshakeTimeoutMs: number;
  readonly #silent = new Set<Socket>();

  constructor(options: Http2ListenerOptions) {
    this.#handshakeTimeoutMs = options.handshakeTimeoutMs;
    this.http2 = createHttp2Server(options.http2);
    const { tls, handshakeTimeoutMs: handshakeTimeout } = options;
    this.server =
      tls === null
        ? createServer({ noDelay: true }, (socket) => this.#accept(socket))
        : createTlsServer({ ...tls, noDelay: true, handshakeTimeout, ALPNProtocols: ['h2'] }, (socket) =>
            this.#accept(socket),
          );
    this.server.maxConnections = options.maxConnections;
  }

  /** Stops accepting, and ends connections that have said nothing yet. */
  close(onClosed: () => void): void {
    this.server.close(onClosed);
    for (const socket of this.#silent) {
      socket.destroy();
    }
  }

  #accept(socket: Socket): void {
    this.#silent.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#handshakeTimeoutMs);
    const onGone = () => {
      clearTimeout(timer);
      this.#silent.delete(socket);
    };
    const onError = () => socket.destroy();
    socket.once('close', onGone);
    socket.on('error', onError);
    const onReadable = () => {
      const first = socket.read() as Buffer | null;
      if (first === null) {
        return;
      }
      onGone();
      socket.off('readable', onReadable).off('close', onGone);
      const length = Math.min(first.length, PREFACE.length);
      if (first.compare(PREFACE, 0, length, 0, length) === 0) {
        socket.off('error', onError);
        socket.unshift(first);
        this.http2.emit('connection', socket);
      } else {
        refuse(socket, first);
      }
    };
    socket.on('readable', onReadable);
  }
}

function refuse(socket: Socket, first: Buffer): void {
  if (!/^[A-Z]+ /.test(first.subarray(0, 16).toString('latin1'))) {
    socket.destroy();
    return;
  }
  const head = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(WRONG_PORT)}\r\n\r\n${WRONG_PORT}`);
  // Reads the rest away for a moment: cut off while it sends, the client would not see the answer.
  socket.resume();
  setTimeout(() => socket.destroy(), 1_000).unref();
}
