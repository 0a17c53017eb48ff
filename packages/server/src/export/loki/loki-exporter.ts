import { decodeLogs } from '@signalbox/otlp';
import { type DefaultLabels, encodeLokiPush, type LokiStream, lokiStreams } from '@signalbox/protocols';
import type { ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult } from '../../pipeline/consumer.ts';
import { readClientSettings } from '../client-settings.ts';
import { HttpClient } from '../http-client.ts';
import { readUrl, refusalOf } from '../http-destination.ts';
import { readSendSettings } from '../send-settings.ts';
import { type Destination, SendingExporter, type SendRequest } from '../sending-exporter.ts';

/** `loki`: pushes log records to Loki, arranged as the Collector 0.91 did. */
export const lokiExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'loki',
  signals: ['logs'],
  configure(settings) {
    const url = readUrl(settings, 'endpoint');
    const send = readSendSettings(settings, { timeout: '30s' });
    const client = readClientSettings(settings);
    const labels = settings.table('default_labels_enabled');
    const defaults: DefaultLabels = {
      exporter: labels.boolean('exporter', true),
      job: labels.boolean('job', true),
      instance: labels.boolean('instance', true),
      level: labels.boolean('level', true),
    };
    return {
      create(context) {
        const authenticator = client.authenticator && context.clientAuthenticator(client.authenticator);
        // The body is a Snappy block already.
        const http = new HttpClient({ ...client, authenticator, compression: 'none', maxConnections: 100 });
        return new SendingExporter(send, new LokiDestination(http, url, defaults, () => context.now()), context);
      },
    };
  },
};

class LokiDestination implements Destination {
  readonly #client: HttpClient;
  readonly #url: URL;
  readonly #defaults: DefaultLabels;
  readonly #now: () => number;

  constructor(client: HttpClient, url: URL, defaults: DefaultLabels, now: () => number) {
    this.#client = client;
    this.#url = url;
    this.#defaults = defaults;
    this.#now = now;
  }

  async start(): Promise<void> {
    this.#client.start();
  }

  /** One request for each tenant. When a later one fails all are sent again: Loki keeps a line of the same time and stream once. */
  async send({ bytes }: SendRequest, abort: AbortSignal): Promise<ConsumeResult> {
    const { batch } = decodeLogs(bytes, 'protobuf');
    const byTenant = new Map<string, LokiStream[]>();
    for (const stream of lokiStreams(batch, this.#defaults, BigInt(this.#now()) * 1_000_000n)) {
      const streams = byTenant.get(stream.tenant) ?? [];
      streams.push(stream);
      byTenant.set(stream.tenant, streams);
    }
    for (const [tenant, streams] of byTenant) {
      const headers = tenant === '' ? {} : { 'x-scope-orgid': tenant };
      const body = encodeLokiPush(streams);
      const answer = await this.#client.post(this.#url, 'application/x-protobuf', body, abort, headers);
      if (answer.status < 200 || answer.status >= 300) throw refusalOf(this.#url, answer);
    }
    return ALL_ACCEPTED;
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
