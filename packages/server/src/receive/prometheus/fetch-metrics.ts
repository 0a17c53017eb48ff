import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createGunzip } from 'node:zlib';
import { loadTls } from '../../config/tls-settings.ts';
import type { ScrapeSettings } from './scrape-settings.ts';

/** Formats of a scrape by the names that `scrape_protocols` gives them, and what asks for each. */
export const scrapeProtocols = {
  PrometheusProto: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0;escaping=allow-utf-8',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
};

export type ScrapeProtocol = keyof typeof scrapeProtocols;

export interface ScrapedBody {
  readonly body: Uint8Array;
  readonly format: 'protobuf' | 'openMetrics' | 'text';
}

/** What a target exposes. Rejects with an `Error` that says why it could not be had. */
export function fetchMetrics(url: URL, settings: ScrapeSettings, abort: AbortSignal): Promise<ScrapedBody> {
  const { timeoutMs, bodySizeLimit, authorization, tls, protocols } = settings;
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      headers: {
        accept: acceptHeader(protocols),
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
        resolve({ body: Buffer.concat(chunks), format: formatOf(response.headers['content-type'] ?? '') });
      });
    });
    request.end();
  });
}

/** The first is preferred; any other is taken where the target has none of them. */
function acceptHeader(protocols: readonly ScrapeProtocol[]): string {
  const wanted = protocols.map((name, index) => `${scrapeProtocols[name]};q=0.${protocols.length + 1 - index}`);
  return [...wanted, '*/*;q=0.1'].join(',');
}

function formatOf(contentType: string): ScrapedBody['format'] {
  if (/^application\/openmetrics-text\b/.test(contentType)) return 'openMetrics';
  return /^application\/vnd\.google\.protobuf\b/.test(contentType) ? 'protobuf' : 'text';
}
