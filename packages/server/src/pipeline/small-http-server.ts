import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from '../config/values.ts';
import type { Component, ListeningAddress } from './component.ts';
import { listen } from './listen.ts';

export interface SmallHttpServerOptions {
  readonly endpoint: Endpoint;
  /** For people: `health`. */
  readonly protocol: string;
  /** Place in the configuration file that decides the address, for error messages: `endpoint of extension pprof`. */
  readonly place: string;
}

/** A port of its own with a few short answers. */
export class SmallHttpServer implements Component {
  readonly #options: SmallHttpServerOptions;
  readonly #server: Server;

  constructor(options: SmallHttpServerOptions, answer: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, answer);
    this.#server.maxConnections = 64;
  }

  get addresses(): readonly ListeningAddress[] {
    const { address, family, port } = this.#server.address() as AddressInfo;
    const host = family === 'IPv6' ? `[${address}]` : address;
    return [{ protocol: this.#options.protocol, address: `http://${host}:${port}` }];
  }

  async start(): Promise<void> {
    const { endpoint, protocol, place } = this.#options;
    await listen(this.#server, { ...endpoint, what: protocol, place });
  }

  async shutdown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
