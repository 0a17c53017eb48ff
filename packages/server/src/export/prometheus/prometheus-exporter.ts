import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TranslateOptions, translateMetrics, writeExposition } from '@signalbox/protocols';
import type { Endpoint } from '../../config/values.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ExporterComponent, ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { SmallHttpServer } from '../../pipeline/small-http-server.ts';
import { readTranslation } from '../read-translation.ts';
import { SeriesMemory } from './series-memory.ts';

interface PrometheusSettings {
  readonly endpoint: Endpoint;
  readonly translate: TranslateOptions;
  readonly sendTimestamps: boolean;
  readonly expirationMs: number;
  readonly openMetrics: boolean;
  readonly maxSeries: number;
}

const EXPIRY_CHECK_MS = 30_000;

/** `prometheus`: an endpoint that Prometheus scrapes. */
export const prometheusExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'prometheus',
  signals: ['metrics'],
  configure(settings) {
    const read: PrometheusSettings = {
      endpoint: settings.endpoint('endpoint'),
      translate: {
        ...readTranslation(settings, 'const_labels'),
        scopeLabels: !settings.boolean('without_scope_info', false),
      },
      sendTimestamps: settings.boolean('send_timestamps', false),
      expirationMs: settings.duration('metric_expiration', '5m'),
      openMetrics: settings.boolean('enable_open_metrics', false),
      maxSeries: settings.integer('max_series', 1_000_000, { min: 1 }),
    };
    return { create: (context) => new PrometheusExporter(read, context) };
  },
};

class PrometheusExporter implements ExporterComponent {
  readonly consumers: Consumers;
  readonly #settings: PrometheusSettings;
  readonly #context: ComponentContext;
  readonly #memory: SeriesMemory;
  readonly #server: SmallHttpServer;
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: PrometheusSettings, context: ComponentContext) {
    this.#settings = settings;
    this.#context = context;
    this.#memory = new SeriesMemory(settings);
    const attributes = { exporter: context.id };
    context.telemetry.gauge(
      'signalbox_prometheus_series',
      'Series kept for scrapes',
      () => this.#memory.seriesCount,
      attributes,
    );
    const skipped = context.telemetry.counter(
      'signalbox_prometheus_skipped_points',
      'Points that Prometheus has no name, type or room for',
      attributes,
    );
    this.#server = new SmallHttpServer(
      { endpoint: settings.endpoint, protocol: 'prometheus', place: `endpoint of exporter ${context.id}` },
      (request, response) => this.#answer(request, response),
    );
    this.consumers = {
      metrics: {
        consume: async (batch) => {
          const { points, skipped: unnamed } = translateMetrics(batch, settings.translate);
          skipped.add(unnamed + this.#memory.add(points, context.now()));
          return ALL_ACCEPTED;
        },
      },
    };
  }

  get addresses() {
    return this.#server.addresses;
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#timer = setInterval(() => this.#memory.expire(this.#context.now()), EXPIRY_CHECK_MS);
    this.#timer.unref();
  }

  async shutdown(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#server.shutdown();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if ((request.url ?? '').split('?', 1)[0] !== '/metrics') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('The metrics are at /metrics.\n');
      return;
    }
    this.#memory.expire(this.#context.now());
    const accept = request.headers.accept ?? '';
    const openMetrics = this.#settings.openMetrics && accept.includes('application/openmetrics-text');
    const utf8Names = accept.includes('escaping=allow-utf-8');
    const escaping = utf8Names ? 'allow-utf-8' : 'underscores';
    const type = openMetrics ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
    const text = writeExposition(this.#memory.families(this.#settings.sendTimestamps), { openMetrics, utf8Names });
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8; escaping=${escaping}` }).end(text);
  }
}
