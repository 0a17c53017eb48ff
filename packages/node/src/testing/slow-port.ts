import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port before a server's that hands on what comes in either direction, as late as it is told to. */
export class SlowPort {
  /** Milliseconds, for what comes from now on. */
  delay = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        // Behind what is still held back, so that bytes stay in order and an end does not overtake them.
        const later = (run: () => void): void => void setTimeout(run, this.delay);
        from.on('data', (chunk) => later(() => void to.write(chunk)));
        from
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(from);
            later(() => void to.destroy());
          });
      }
    });
  }

  static async before(target: number): Promise<SlowPort> {
    const port = new SlowPort(target);
    port.#server.listen(0, '127.0.0.1');
    await once(port.#server, 'listening');
    return port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Asks an application that serves HTTP at `url` once, with the port as slow as that; resolves with the status. */
export async function askSlowly(url: string, port: SlowPort, delay: number): Promise<number> {
  port.delay = delay;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
    await response.arrayBuffer();
    return response.status;
  } finally {
    port.delay = 0;
  }
}
