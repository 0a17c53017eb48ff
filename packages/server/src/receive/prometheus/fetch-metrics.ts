import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createGunzip } from 'node:zlib';
import { loadTls } from '../../config/tls-settings.ts';
import type { ScrapeSettings } from './scrape-settings.ts';

const ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1';

export interface ScrapedText {
  readonly text: string;
  readonly openMetrics: boolean;
}

/** What a target exposes. Rejects with an `Error` that says why it could not be had. */
export function fetchMetrics(url: URL, settings: ScrapeSettings, abort: AbortSignal): Promise<ScrapedText> {
  const { timeoutMs, bodySizeLimit, authorization, tls } = settings;
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      headers: {
        accept: ACCEPT,
        'accept-encoding': 'gzip',
        'user-agent': 'Signalbox',
        'x-prometheus-scrape-timeout-seconds': timeoutMs / 1000,
        ...(authorization === null ? {} : { authorization }),
      },
      signal: AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]),
    };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, {
            ...options,
            ...loadTls(tls),
            rejectUnauthorized: !tls.skipVerify,
            ...(tls.serverName === null ? {} : { servername: tls.serverName }),
          })
        : httpRequest(url, options);
    // More than one error may come, the first is told.
    request.on('error', reject);
    request.once('response', (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`server returned HTTP status ${response.statusCode}`));
        return;
      }
      const body = response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
      const chunks: Buffer[] = [];
      let size = 0;
      body.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= bodySizeLimit) {
          chunks.push(chunk);
          return;
        }
        reject(new Error(`the body is larger than ${bodySizeLimit} bytes`));
        body.destroy();
        request.destroy();
      });
      body.on('error', reject);
      response.on('error', reject);
      body.once('end', () => {
        const openMetrics = /^application\/openmetrics-text\b/.test(response.headers['content-type'] ?? '');
        resolve({ text: Buffer.concat(chunks).toString(), openMetrics });
      });
    });
    request.end();
  });
}
