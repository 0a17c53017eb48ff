import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { SpanKind } from '@opentelemetry/api';
import { carryContext, continueContext, traced } from '@signalbox/node';

type Handler = (input: unknown) => unknown;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly input: unknown;
  /** What the caller was doing. */
  readonly context: unknown;
}

interface Answer {
  readonly id: number;
  readonly output?: unknown;
  readonly error?: string;
}

interface Waiting {
  resolve(output: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

const maxLineBytes = 64 * 1024;
const timeoutMillis = 2000;

/** Answers calls of other nodes: a line of JSON each. Every call belongs to the trace of its caller. */
export async function serveRpc(handlers: Readonly<Record<string, Handler>>): Promise<{ server: Server; port: number }> {
  const traces = new Map(
    Object.entries(handlers).map(([method, handler]) => [
      method,
      traced(async (input: unknown) => await handler(input), { name: `rpc ${method}`, kind: SpanKind.SERVER }),
    ]),
  );
  const answer = async ({ id, method, input, context }: Call): Promise<Answer> => {
    try {
      const handle = traces.get(method);
      if (handle === undefined) throw new Error(`no method ${method}`);
      return { id, output: await continueContext(context, () => handle(input)) };
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  };
  const server = createServer((socket) => {
    onLines(socket, (line) => {
      answer(JSON.parse(line) as Call).then(
        (result) => void socket.write(`${JSON.stringify(result)}\n`),
        () => void socket.destroy(),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

/** Another node, to be called; the connection is made by the first call, and again when it is gone. */
export class Peer {
  readonly name: string;
  readonly call: (method: string, input: unknown) => Promise<unknown>;
  readonly #port: number;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #lastId = 0;

  constructor({ name, port }: { readonly name: string; readonly port: number }) {
    this.name = name;
    this.#port = port;
    this.call = traced((method: string, input: unknown) => this.#call(method, input), {
      name: 'rpc call',
      kind: SpanKind.CLIENT,
      attributes: (method) => ({ 'rpc.method': method, 'server.address': name }),
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #call(method: string, input: unknown): Promise<unknown> {
    this.#lastId += 1;
    const call: Call = { id: this.#lastId, method, input, context: carryContext() };
    this.#socket ??= this.#connect();
    this.#socket.write(`${JSON.stringify(call)}\n`);
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(call.id);
        reject(new Error(`${this.name} has not answered ${method} within ${timeoutMillis} ms`));
      }, timeoutMillis);
      this.#waiting.set(call.id, { resolve, reject, timer });
    });
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    onLines(socket, (line) => {
      const { id, output, error } = JSON.parse(line) as Answer;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      clearTimeout(waiting?.timer);
      if (error === undefined) waiting?.resolve(output);
      else waiting?.reject(new Error(error));
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      for (const { reject, timer } of this.#waiting.values()) {
        clearTimeout(timer);
        reject(new Error(`the connection to ${this.name} is gone`));
      }
      this.#waiting.clear();
    });
    return socket;
  }
}

/** Calls `onLine` for each line that is JSON; whoever sends something else, or too much, is cut off. */
function onLines(socket: Socket, onLine: (line: string) => void): void {
  socket.on('error', () => {});
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    try {
      if (line.length > maxLineBytes) throw new RangeError('the line is too long');
      onLine(line);
    } catch {
      socket.destroy();
    }
  });
}
