import { decodeExportResponse, decodeStatus, OtlpDecodeError, protobufToJson } from '@signalbox/otlp';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { ExporterFactory } from '../../pipeline/component-factory.ts';
import type { ConsumeResult } from '../../pipeline/consumer.ts';
import { SIGNALS, type Signal } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { readClientSettings } from '../client-settings.ts';
import { type HttpAnswer, HttpClient, retryAfterMs } from '../http-client.ts';
import { readSendSettings } from '../send-settings.ts';
import { type Destination, SendingExporter, type SendRequest } from '../sending-exporter.ts';

type Encoding = 'proto' | 'json';

/** OTLP specification, "OTLP/HTTP Response": what a client tries again. */
const RETRYABLE_STATUSES: readonly number[] = [429, 502, 503, 504];

/** `otlphttp`: OTLP over HTTP. */
export const otlpHttpExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'otlphttp',
  aliases: ['otlp_http'],
  signals: SIGNALS,
  configure(settings) {
    const send = readSendSettings(settings, { timeout: '30s' });
    const client = readClientSettings(settings);
    const urls = readUrls(settings);
    const encoding = settings.choice('encoding', ['proto', 'json'], 'proto');
    const maxConnections = settings.integer('max_conns_per_host', 100, { min: 1 });
    return {
      create(context) {
        const authenticator = client.authenticator && context.clientAuthenticator(client.authenticator);
        const http = new HttpClient({ ...client, authenticator, maxConnections });
        return new SendingExporter(send, new OtlpHttpDestination(http, urls, encoding), context);
      },
    };
  },
};

function readUrls(settings: SettingsMap): Readonly<Record<Signal, URL>> {
  const base = settings.string('endpoint', null);
  const url = (signal: Signal): URL => {
    const key = `${signal}_endpoint`;
    const given = settings.string(key, null);
    if (given === null && base === null) throw settings.fail('endpoint', `endpoint or ${key} is required`);
    const text = given ?? `${base?.replace(/\/$/, '')}/v1/${signal}`;
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
      throw settings.fail(
        given === null ? 'endpoint' : key,
        `"${given ?? base}" is not an http:// or https:// address`,
      );
    }
    return new URL(text);
  };
  return { traces: url('traces'), metrics: url('metrics'), logs: url('logs') };
}

class OtlpHttpDestination implements Destination {
  readonly #client: HttpClient;
  readonly #urls: Readonly<Record<Signal, URL>>;
  readonly #encoding: Encoding;

  constructor(client: HttpClient, urls: Readonly<Record<Signal, URL>>, encoding: Encoding) {
    this.#client = client;
    this.#urls = urls;
    this.#encoding = encoding;
  }

  async start(): Promise<void> {
    this.#client.start();
  }

  async send({ signal, bytes }: SendRequest, abort: AbortSignal): Promise<ConsumeResult> {
    const json = this.#encoding === 'json';
    const body = json ? protobufToJson(signal, bytes) : bytes;
    const contentType = json ? 'application/json' : 'application/x-protobuf';
    const answer = await this.#client.post(this.#urls[signal], contentType, body, abort);
    if (answer.status >= 200 && answer.status < 300) return readAnswer(answer);
    throw refusal(this.#urls[signal], answer);
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

function encodingOf({ headers }: HttpAnswer): 'protobuf' | 'json' | null {
  const type = headers['content-type'] ?? '';
  return type.startsWith('application/x-protobuf') ? 'protobuf' : type.startsWith('application/json') ? 'json' : null;
}

/** A partial success is never tried again. An answer that can't be read is one that takes everything: its status says so. */
function readAnswer(answer: HttpAnswer): ConsumeResult {
  const encoding = encodingOf(answer);
  if (encoding === null || answer.body.length === 0) return { rejected: 0, reason: '' };
  return readOr({ rejected: 0, reason: '' }, () => decodeExportResponse(answer.body, encoding));
}

function refusal(url: URL, answer: HttpAnswer): SignalboxError {
  const { status, headers, body } = answer;
  const encoding = encodingOf(answer);
  const said =
    encoding === null
      ? body.toString('utf8', 0, 500).trim()
      : readOr('', () => decodeStatus(body, encoding).message).slice(0, 500);
  const wait = retryAfterMs(headers, Date.now());
  return new SignalboxError(
    status === 429 ? 'resource_exhausted' : RETRYABLE_STATUSES.includes(status) ? 'unavailable' : 'invalid_argument',
    `${url.host} answered ${status}${said === '' ? '' : `: ${said}`}`,
    wait === undefined ? {} : { retryAfterMs: wait },
  );
}

function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof OtlpDecodeError) return otherwise;
    throw error;
  }
}
