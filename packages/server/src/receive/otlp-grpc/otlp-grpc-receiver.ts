import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ServerTls } from '../../config/tls-settings.ts';
import type { Component } from '../../pipeline/component.ts';
import type { ServerAuthenticator } from '../../pipeline/extension.ts';
import { listen } from '../../pipeline/listen.ts';
import type { ExportService } from '../otlp/export-service.ts';
import { openServerTls } from '../otlp/server-tls.ts';
import { GrpcCall } from './grpc-call.ts';
import { Http2Listener } from './http2-listener.ts';

/** Where OTLP/gRPC listens and how patient it is. */
export interface OtlpGrpcOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What decides the address, for error messages. */
  readonly place?: string;
  /** Encrypts; null: plaintext. */
  readonly tls?: ServerTls | null;
  /** Checks who sends; null: nobody is asked. */
  readonly authenticator?: ServerAuthenticator | null;
  /** Open connections at once; more are closed on arrival. */
  readonly maxConnections?: number;
  /** Calls at once on one connection; a client queues what goes beyond. */
  readonly maxConcurrentStreams?: number;
  /** Time for a connection to speak HTTP/2, in milliseconds. */
  readonly handshakeTimeoutMs?: number;
  /** Time for a whole request, in milliseconds. */
  readonly requestTimeoutMs?: number;
  /** Time without a byte of an unfinished message, in milliseconds. */
  readonly messageIdleTimeoutMs?: number;
  /** Time for a client to take its answer, in milliseconds. */
  readonly answerTimeoutMs?: number;
  /** Pause between two pings that find dead connections, in milliseconds; an unanswered one ends the connection. */
  readonly keepAliveMs?: number;
}

const OTLP_GRPC_DEFAULTS = {
  place: '--otlp-grpc-port or SIGNALBOX_OTLP_GRPC_PORT (in a configuration file: protocols::grpc::endpoint)',
  tls: null,
  authenticator: null,
  maxConnections: 1_024,
  maxConcurrentStreams: 128,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  messageIdleTimeoutMs: 15_000,
  answerTimeoutMs: 30_000,
  keepAliveMs: 60_000,
} as const satisfies Partial<OtlpGrpcOptions>;

/** What a client may send ahead of being read: enough to keep a network busy, little enough for many connections. */
const STREAM_WINDOW_BYTES = 512 * 1024;
const CONNECTION_WINDOW_BYTES = 2 * 1024 * 1024;
const MAX_HEADER_LIST_BYTES = 16 * 1024;
/** Node's own bookkeeping per connection, in MB: windows, queued frames, headers. */
const MAX_SESSION_MEMORY_MB = 16;

/**
 * Receives OTLP/gRPC: the `Export` methods of the trace, metrics and logs services, unary, over HTTP/2, plaintext or TLS.
 *
 * Speaks gRPC on Node's HTTP/2 directly. A general gRPC server hands over a message when it is complete and decompressed,
 * so the bytes of all calls that are still arriving would be bounded by nothing; here each is counted as it arrives.
 */
export class OtlpGrpcReceiver implements Component {
  readonly #service: ExportService;
  readonly #options: Required<OtlpGrpcOptions>;
  readonly #listener: Http2Listener;
  readonly #sessions = new Set<ServerHttp2Session>();
  #shutdown: Promise<void> | null = null;

  constructor(service: ExportService, options: OtlpGrpcOptions) {
    this.#service = service;
    this.#options = { ...OTLP_GRPC_DEFAULTS, ...options };
    this.#listener = new Http2Listener({
      maxConnections: this.#options.maxConnections,
      handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
      tls: openServerTls(this.#options.tls),
      http2: {
        maxSessionMemory: MAX_SESSION_MEMORY_MB,
        settings: {
          enablePush: false,
          maxConcurrentStreams: this.#options.maxConcurrentStreams,
          initialWindowSize: STREAM_WINDOW_BYTES,
          maxHeaderListSize: MAX_HEADER_LIST_BYTES,
        },
      },
    });
    const { http2 } = this.#listener;
    http2.on('session', (session) => this.#watch(session));
    http2.on('stream', (stream, headers) => {
      void new GrpcCall(this.#service, this.#options, stream, headers).run();
    });
    // A peer that breaks HTTP/2 has had its connection closed; there is nobody else to tell.
    http2.on('sessionError', () => {});
  }

  /** Where it listens; only after `start`. */
  get address(): AddressInfo {
    return this.#listener.server.address() as AddressInfo;
  }

  async start(): Promise<void> {
    const { host, port, place } = this.#options;
    await listen(this.#listener.server, { host, port, what: 'OTLP/gRPC', place });
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#shutdown ??= new Promise((resolve) => {
      const cut = setTimeout(() => {
        for (const session of this.#sessions) {
          session.destroy();
        }
      }, deadlineMs);
      this.#listener.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const session of this.#sessions) {
        session.close();
      }
    });
    return this.#shutdown;
  }

  #watch(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    const handshake = setTimeout(() => session.destroy(), this.#options.handshakeTimeoutMs);
    session.once('remoteSettings', () => clearTimeout(handshake));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    let answered = true;
    const keepAlive = setInterval(() => {
      if (!answered || session.destroyed) {
        session.destroy();
        return;
      }
      answered = false;
      session.ping((error) => {
        answered = error === null;
      });
    }, this.#options.keepAliveMs);
    session.once('close', () => {
      clearTimeout(handshake);
      clearInterval(keepAlive);
      this.#sessions.delete(session);
    });
    if (this.#shutdown !== null) {
      session.close();
    }
  }
}
