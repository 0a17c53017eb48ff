import { connect, type Socket } from 'node:net';
import { AnswerReader, type HttpAnswer } from './http-answer.ts';
import { maxResponseBytes } from './otlp-transport.ts';

/** A server may close a connection that it has promised to keep while a request is on its way to it. */
const marginMillis = 1_000;

/** Told once, of the request under way; what is wrong with the connection is an error. */
type Answered = (answer: HttpAnswer | Error) => void;

/** Whoever has made the connection. */
export interface ConnectionOwner {
  /** What answers are read into, by all connections: nothing in it outlives the call that says that it is there. */
  readonly readBuffer: Buffer;
  /** It can be used for another request, before the one under way has been told of its answer. */
  onFree(connection: HttpConnection): void;
  /** It is of no use any more; the same. */
  onClose(connection: HttpConnection): void;
}

/** A connection over which one request after the other is made. It never keeps the process alive. */
export class HttpConnection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #reader: AnswerReader | undefined;
  #answered: Answered | undefined;
  #error: Error | undefined;
  /** A reading of `performance.now()`. */
  #usableUntil = Number.POSITIVE_INFINITY;

  constructor(host: string, port: number, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 1_000,
      onread: {
        buffer: owner.readBuffer,
        callback: (size, buffer) => {
          this.#read((buffer as Buffer).subarray(0, size));
          return true;
        },
      },
    });
    this.#socket.unref();
    // Each address that is tried has a handle of its own.
    for (const event of ['connectionAttempt', 'connect']) this.#socket.on(event, () => this.#socket.unref());
    this.#socket.on('error', (error) => {
      this.#error ??= error;
    });
    this.#socket.on('end', () => this.#end());
    this.#socket.on('close', () => this.#close());
  }

  /** Whether it has been idle for too long for the server to be relied on. */
  get isStale(): boolean {
    return performance.now() >= this.#usableUntil || this.#socket.destroyed;
  }

  /** Only of one that is free. `answered` is told once. */
  send(head: string, body: Uint8Array, answered: Answered): void {
    this.#reader = new AnswerReader(maxResponseBytes);
    this.#answered = answered;
    const socket = this.#socket;
    // So that both go out at once.
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#error ??= error;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    // What comes without having been asked for is an answer to nothing, such as that the server has waited for too long.
    if (this.#reader === undefined) {
      this.destroy();
      return;
    }
    try {
      const answer = this.#reader.read(bytes);
      if (answer !== undefined) this.#finish(answer, this.#reader.keepsConnection);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #finish(answer: HttpAnswer, isKept: boolean): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#reader = undefined;
    const timeout = /\btimeout=(\d+)/.exec(answer.headers.get('keep-alive') ?? '')?.[1];
    this.#usableUntil =
      timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(timeout) * 1_000 - marginMillis;
    // What has been answered before all of it was sent would be in front of the next request.
    if (isKept && this.#socket.writableLength === 0) this.#owner.onFree(this);
    else this.destroy();
    answered?.(answer);
  }

  #end(): void {
    const answer = this.#reader?.end();
    if (answer !== undefined) this.#finish(answer, false);
    this.destroy();
  }

  #close(): void {
    this.#owner.onClose(this);
    const answered = this.#answered;
    this.#answered = undefined;
    this.#reader = undefined;
    answered?.(this.#error ?? Object.assign(new Error('it closed the connection'), { code: 'ECONNRESET' }));
  }
}
