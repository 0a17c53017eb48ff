import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { AggregationTemporality, MetricReader } from '@opentelemetry/sdk-metrics';
import { ownServers } from '../../http/own-servers.ts';
import type { Warnings } from '../../warnings.ts';
import type { ExemplarMeterProvider } from '../exemplar-meter-provider.ts';
import { Exposition, type ExpositionFormat } from './exposition.ts';
import type { TranslationStrategy } from './metric-name.ts';

export interface PrometheusSettings {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Whether it has a server of its own. */
  readonly listen: boolean;
  readonly translation: TranslationStrategy;
}

/** What a scrape is answered with. */
export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Metrics for Prometheus to scrape: a reader of its own, so that what goes out over OTLP beside it is neither counted twice
 * nor reset, from the same instruments and so with the same buckets. Its server, if it is to have one, never keeps the
 * process alive, and makes no spans.
 */
export class PrometheusEndpoint extends MetricReader {
  readonly #settings: PrometheusSettings;
  readonly #warnings: Warnings;
  readonly #server: http.Server;
  #provider: ExemplarMeterProvider | undefined;

  constructor(settings: PrometheusSettings, warnings: Warnings) {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
    this.#settings = settings;
    this.#warnings = warnings;
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
    this.#server.unref();
    ownServers.add(this.#server);
  }

  /** `provider` is the one that this reader was given to; it has the exemplars. */
  open(provider: ExemplarMeterProvider): void {
    this.#provider = provider;
    const { host, port, path, listen } = this.#settings;
    if (!listen) return;
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      const advice =
        error.code === 'EADDRINUSE'
          ? 'Another process has the port: set OTEL_EXPORTER_PROMETHEUS_PORT.'
          : 'Set OTEL_EXPORTER_PROMETHEUS_HOST.';
      this.#warnings.always(
        `metrics cannot be scraped from http://${host}:${port}${path}: ${error.code ?? error.message}. ${advice}`,
      );
    });
    this.#server.on('connection', (socket) => socket.unref());
    this.#server.listen(port, host);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?');
    if (path !== this.#settings.path) {
      response.writeHead(404).end(`Metrics are at ${this.#settings.path}.\n`);
      return;
    }
    try {
      const { contentType, body } = await this.scrape(request.headers.accept ?? '');
      response.writeHead(200, { 'content-type': contentType }).end(body);
    } catch (error) {
      response.writeHead(500).end(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  /** One scrape, in the format that `accept` prefers. Rejects when the metrics cannot be collected. */
  async scrape(accept: string): Promise<Scrape> {
    const { resourceMetrics, errors } = await this.collect();
    for (const error of errors) this.#warnings.once(`a metric could not be collected: ${String(error)}`);
    const wantsUtf8 = !this.#settings.translation.startsWith('Underscore');
    const format: ExpositionFormat = {
      openMetrics: accept.includes('application/openmetrics-text'),
      utf8: wantsUtf8 && accept.includes('allow-utf-8'),
    };
    const exemplars = this.#provider;
    const exposition = new Exposition(
      format,
      this.#settings.translation,
      (scope, version, metric, point) => exemplars?.peekExemplars(scope, version, metric, point) ?? [],
    );
    exposition.add(resourceMetrics);
    for (const name of exposition.conflicts)
      this.#warnings.once(
        `two kinds of instruments are called ${name}, of which Prometheus gets the first only: rename one`,
      );
    const base = format.openMetrics
      ? 'application/openmetrics-text; version=1.0.0'
      : `text/plain; version=${format.utf8 ? '1.0.0' : '0.0.4'}`;
    const escaping = format.utf8 ? '; escaping=allow-utf-8' : wantsUtf8 ? '; escaping=underscores' : '';
    return { contentType: `${base}; charset=utf-8${escaping}`, body: exposition.text() };
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {
    this.#server.closeAllConnections();
    // Resolves as well when it never listened.
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }
}
