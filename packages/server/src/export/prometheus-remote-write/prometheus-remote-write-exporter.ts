import { decodeMetrics } from '@signalbox/otlp';
import { encodeRemoteWrite, remoteSeries, type TranslateOptions, translateMetrics } from '@signalbox/protocols';
import type { ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult } from '../../pipeline/consumer.ts';
import { readClientSettings } from '../client-settings.ts';
import { HttpClient } from '../http-client.ts';
import { readUrl, refusalOf } from '../http-destination.ts';
import { readTranslation } from '../read-translation.ts';
import { readSendSettings } from '../send-settings.ts';
import { type Destination, SendingExporter, type SendRequest } from '../sending-exporter.ts';

/** `prometheusremotewrite`: sends metrics to Prometheus, Mimir, VictoriaMetrics and their like by remote write 1.0. */
export const prometheusRemoteWriteExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'prometheusremotewrite',
  signals: ['metrics'],
  configure(settings) {
    const url = readUrl(settings, 'endpoint');
    const send = readSendSettings(settings, { timeout: '5s' });
    const client = readClientSettings(settings);
    const translate = { ...readTranslation(settings, 'external_labels'), scopeLabels: false };
    return {
      create(context) {
        const authenticator = client.authenticator && context.clientAuthenticator(client.authenticator);
        // The body is a Snappy block, which is what the header says that is sent with it.
        const http = new HttpClient({ ...client, authenticator, compression: 'none', maxConnections: 100 });
        const skipped = context.telemetry.counter(
          'signalbox_prometheus_skipped_points',
          'Points that Prometheus has no name, type or room for',
          { exporter: context.id },
        );
        const destination = new RemoteWriteDestination(http, url, translate, (count) => skipped.add(count));
        return new SendingExporter(send, destination, context);
      },
    };
  },
};

class RemoteWriteDestination implements Destination {
  readonly #client: HttpClient;
  readonly #url: URL;
  readonly #translate: TranslateOptions;
  readonly #onSkipped: (count: number) => void;

  constructor(client: HttpClient, url: URL, translate: TranslateOptions, onSkipped: (count: number) => void) {
    this.#client = client;
    this.#url = url;
    this.#translate = translate;
    this.#onSkipped = onSkipped;
  }

  async start(): Promise<void> {
    this.#client.start();
  }

  async send({ bytes }: SendRequest, abort: AbortSignal): Promise<ConsumeResult> {
    const { batch } = decodeMetrics(bytes, 'protobuf');
    const translated = translateMetrics(batch, this.#translate);
    const { series, skipped } = remoteSeries(translated.points);
    if (series.length > 0) {
      const headers = { 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' };
      const body = encodeRemoteWrite(series);
      const answer = await this.#client.post(this.#url, 'application/x-protobuf', body, abort, headers);
      if (answer.status < 200 || answer.status >= 300) throw refusalOf(this.#url, answer);
    }
    this.#onSkipped(translated.skipped + skipped);
    return ALL_ACCEPTED;
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
