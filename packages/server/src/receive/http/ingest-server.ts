import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SettingsMap, SettingText } from '../../config/settings-map.ts';
import { readServerTls, type ServerTls } from '../../config/tls-settings.ts';
import type { Endpoint } from '../../config/values.ts';
import type { Component, ListeningAddress } from '../../pipeline/component.ts';
import { listen } from '../../pipeline/listen.ts';
import { openServerTls } from '../otlp/server-tls.ts';
import type { HttpIngest } from './http-ingest.ts';

export interface IngestServerSettings {
  readonly endpoint: Endpoint;
  readonly tls: ServerTls | null;
  readonly authenticator: SettingText | null;
  readonly maxBytes: number;
}

/** Reads what the Collector's HTTP servers share: `endpoint`, `tls`, `auth`, `max_request_body_size`. */
export function readIngestServer(settings: SettingsMap, defaultEndpoint: string): IngestServerSettings {
  settings.boolean('include_metadata', false);
  return {
    endpoint: settings.endpoint('endpoint', defaultEndpoint),
    tls: readServerTls(settings.optionalTable('tls')),
    authenticator: settings.optionalTable('auth')?.text('authenticator') ?? null,
    maxBytes: readMaxBytes(settings),
  };
}

/** `max_request_body_size`, after decompression. */
export function readMaxBytes(settings: SettingsMap): number {
  const maxBytes = settings.size('max_request_body_size', '20MiB');
  if (maxBytes < 1024 || maxBytes > 1024 ** 3) {
    throw settings.fail('max_request_body_size', 'it is out of range; write 1KiB to 1GiB');
  }
  return maxBytes;
}

/** A port for an `HttpIngest`. */
export class IngestServer implements Component {
  readonly #server: Server;
  readonly #settings: IngestServerSettings;
  readonly #ingest: HttpIngest;
  readonly #protocol: string;
  readonly #place: string;

  /** @param protocol for people: `Loki`; @param place of the endpoint's setting, for error messages */
  constructor(settings: IngestServerSettings, ingest: HttpIngest, protocol: string, place: string) {
    this.#settings = settings;
    this.#ingest = ingest;
    this.#protocol = protocol;
    this.#place = place;
    const limits = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 75_000 };
    const tls = openServerTls(settings.tls);
    this.#server = tls === null ? createServer(limits) : createHttpsServer({ ...limits, ...tls });
    this.#server.maxConnections = 1_024;
    this.#server.on('request', (request, response) => {
      if (ingest.handle(request, response)) return;
      request.resume();
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('There is nothing here.\n');
    });
  }

  get addresses(): readonly ListeningAddress[] {
    const { address, family, port } = this.#server.address() as AddressInfo;
    const scheme = this.#settings.tls === null ? 'http' : 'https';
    const host = family === 'IPv6' ? `[${address}]` : address;
    return [{ protocol: this.#protocol, address: `${scheme}://${host}:${port}` }];
  }

  async start(): Promise<void> {
    await listen(this.#server, { ...this.#settings.endpoint, what: this.#protocol, place: this.#place });
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#ingest.stop();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), deadlineMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}
