import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ClientTls, loadTls } from '../config/tls-settings.ts';
import type { ClientAuthenticator } from '../pipeline/extension.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

const gzipAsync = promisify(gzip);

/** An answer is a few words; what is longer is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface HttpClientOptions {
  readonly tls: ClientTls;
  /** Sent with each request, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly compression: 'gzip' | 'none';
  readonly authenticator: ClientAuthenticator | null;
  /** Connections at once. */
  readonly maxConnections: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most 64 KiB of it. */
  readonly body: Buffer;
}

/** Posts over connections that are kept. One for each exporter. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  #http: HttpAgent | null = null;
  #https: HttpsAgent | null = null;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Reads certificates. Throws `SignalboxError` (`invalid_argument`) when they can't be read. */
  start(): void {
    const agent = { keepAlive: true, maxSockets: this.#options.maxConnections };
    const { tls } = this.#options;
    try {
      this.#http = new HttpAgent(agent);
      this.#https = new HttpsAgent({
        ...agent,
        ...loadTls(tls),
        rejectUnauthorized: !tls.skipVerify,
        ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      });
    } catch (error) {
      throw new SignalboxError('invalid_argument', `tls: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Resolves with any answer. Throws `SignalboxError` (`unavailable`, retryable) when there is none.
   *
   * @param more headers of this request alone, names in lower case
   */
  async post(
    url: URL,
    contentType: string,
    body: Uint8Array,
    abort: AbortSignal,
    more: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const { compression, headers, authenticator } = this.#options;
    const content = compression === 'gzip' ? await gzipAsync(body, { level: 1 }) : body;
    const sent = {
      ...Object.fromEntries(headers),
      ...authenticator?.headers(),
      ...more,
      'content-type': contentType,
      'content-length': content.byteLength,
      ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
    };
    return await new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const options = { method: 'POST', headers: sent, signal: abort };
      const fail = (error: unknown) => reject(unreachable(url, error, abort));
      const request = secure
        ? httpsRequest(url, { ...options, ...(this.#https ? { agent: this.#https } : {}) })
        : httpRequest(url, { ...options, ...(this.#http ? { agent: this.#http } : {}) });
      request.once('error', fail);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          if (size < MAX_ANSWER_BYTES) chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - size));
          size += chunk.length;
        });
        response.once('error', fail);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.end(content);
    });
  }

  close(): void {
    this.#http?.destroy();
    this.#https?.destroy();
  }
}

function unreachable(url: URL, error: unknown, abort: AbortSignal): unknown {
  if (abort.aborted) return abort.reason;
  return new SignalboxError('unavailable', `${url.host}: ${(error as Error).message}`, { cause: error });
}

/** Milliseconds that a `Retry-After` header asks to wait: seconds, or a date (RFC 9110, section 10.2.3). */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
