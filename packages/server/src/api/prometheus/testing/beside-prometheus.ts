import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeExposition, type ExposedSample } from '@signalbox/protocols';
import { featureOptions, type PromqlFeature } from '../../../query/promql/promql-features.ts';
import { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { keyValues, OtlpStore } from '../../../query/promql-store/testing/otlp-store.ts';
import { DEFAULT_TRANSLATION } from '../../../query/promql-store/translation.ts';
import { QueryRegistry } from '../../query-registry.ts';
import { createPrometheusApi } from '../prometheus-api.ts';
import { PeerPrometheus } from './peer-prometheus.ts';

/** Our API over a store of its own, and a Prometheus that gets the same OTLP. */
export class BesidePrometheus {
  readonly #peer: PeerPrometheus;
  readonly #otlp: OtlpStore;
  readonly #server: Server;

  /** Both with these features of PromQL on. */
  static async start(program: string, features: readonly PromqlFeature[] = []): Promise<BesidePrometheus> {
    const peer = await PeerPrometheus.start(program, undefined, [
      '--web.enable-otlp-receiver',
      ...features.map((feature) => `--enable-feature=${feature}`),
    ]);
    const otlp = await OtlpStore.open();
    const handle = createPrometheusApi({
      connection: otlp.store.connection,
      registry: new QueryRegistry(),
      catalog: new SeriesCatalog(DEFAULT_TRANSLATION, { maxSeries: 10_000, maxCached: 10_000 }),
      engine: { ...featureOptions(features), maxSamples: 1_000_000 },
      maxExecutionMs: 60_000,
      status: { version: '', startedAtMs: 0, settings: {}, retention: '' },
      allowedHosts: [],
      corsOrigins: [],
      onError: (error) => console.error(error),
    });
    const server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new BesidePrometheus(peer, otlp, server);
  }

  private constructor(peer: PeerPrometheus, otlp: OtlpStore, server: Server) {
    this.#peer = peer;
    this.#otlp = otlp;
    this.#server = server;
  }

  /** Sends both the metrics of a resource. */
  async send(resource: Readonly<Record<string, unknown>>, metrics: readonly object[]): Promise<void> {
    const attributes = keyValues(resource);
    const body = JSON.stringify({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] });
    const headers = { 'content-type': 'application/json' };
    const sent = await fetch(`${this.#peer.base}/api/v1/otlp/v1/metrics`, { method: 'POST', body, headers });
    const answer = await sent.text();
    if (sent.status !== 200 || answer !== '') throw new Error(`Prometheus: ${sent.status} ${answer}`);
    await this.#otlp.insert(resource, metrics);
  }

  /**
   * What both answer, ours first, with series in one order; numbers that differ by rounding are the same in both.
   *
   * @param peer another one to ask than that which got the OTLP
   */
  async ask(
    path: string,
    parameters: Readonly<Record<string, string>>,
    peer = this.#peer,
  ): Promise<[own: unknown, theirs: unknown]> {
    const { port } = this.#server.address() as AddressInfo;
    const answerOf = async (base: string): Promise<unknown> =>
      inOrder(await (await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json());
    const own = await answerOf(`http://127.0.0.1:${port}`);
    const theirs = await answerOf(peer.base);
    return [withoutRounding(own, theirs), theirs];
  }

  /** Where both listen, ours first. */
  bases(): [own: string, theirs: string] {
    return [`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`, this.#peer.base];
  }

  /** The lines of what both give to be scraped, ours first. */
  async federate(selectors: readonly string[], accept: string): Promise<[own: string[], theirs: string[]]> {
    const { port } = this.#server.address() as AddressInfo;
    const linesOf = async (base: string): Promise<string[]> => {
      const parameters = new URLSearchParams(selectors.map((selector) => ['match[]', selector]));
      const response = await fetch(`${base}/federate?${parameters}`, { headers: { accept } });
      return [response.status, response.headers.get('content-type'), ...(await response.text()).split('\n')].map(
        String,
      );
    };
    return [await linesOf(`http://127.0.0.1:${port}`), await linesOf(this.#peer.base)];
  }

  /** The samples that both give to be scraped in protobuf, ours first, each behind the type of the answer. */
  async federateProtobuf(selectors: readonly string[], accept: string): Promise<[own: unknown[], theirs: unknown[]]> {
    const parameters = new URLSearchParams(selectors.map((selector) => ['match[]', selector]));
    const [own, theirs] = await Promise.all(
      this.bases().map(async (base) => {
        const response = await fetch(`${base}/federate?${parameters}`, { headers: { accept } });
        const bytes = new Uint8Array(await response.arrayBuffer());
        const { samples } = decodeExposition(bytes, { native: true, classicToo: true });
        return [response.headers.get('content-type'), ...samples.map(withoutEmptyBuckets)];
      }),
    );
    return [own ?? [], theirs ?? []];
  }

  async stop(): Promise<void> {
    await this.#peer.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#otlp.close();
  }
}

/**
 * Series in one order. Prometheus counts the samples of this remark again with each series that has it (a million for four), so that
 * the number is left out. Which two of several series that are too many it names, of which group, depends on the order of a map, another one each time.
 */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const all = value.map(inOrder);
    const isList = all.some((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
    return isList ? all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : all;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, one]) => [key, isRemarks(key) ? (inOrder(one) as string[]).sort() : inOrder(one)]),
    );
  }
  if (typeof value !== 'string') return value;
  return value
    .replace(/(fixed for monotonicity.*), over \d+ samples/, '$1')
    .replace(
      /(found duplicate series for the match group ).*( on the \w+ hand-side of the operation: )\[.*\];/,
      '$1…$2[…];',
    );
}

/** A histogram with what its buckets count by their indexes: empty ones between others may be there, or a new span. */
function withoutEmptyBuckets(sample: ExposedSample): unknown {
  const { value } = sample;
  if (typeof value === 'number') return sample;
  const counted = ({ spans, counts }: typeof value.positive): [index: number, count: number][] => {
    let index = 0;
    const indexes = spans.flatMap(({ offset, length }) => {
      index += offset;
      return Array.from({ length }, () => index++);
    });
    return indexes.map((at, i): [number, number] => [at, counts[i] ?? 0]).filter(([, count]) => count !== 0);
  };
  return { ...sample, value: { ...value, positive: counted(value.positive), negative: counted(value.negative) } };
}

/** Remarks come out of a map there, each time in another order. */
function isRemarks(key: string): boolean {
  return key === 'warnings' || key === 'infos';
}

/** Sums are added up in another order: 11 digits count. */
function withoutRounding(own: unknown, theirs: unknown): unknown {
  if (Array.isArray(own) && Array.isArray(theirs)) return own.map((one, at) => withoutRounding(one, theirs[at]));
  if (typeof own === 'object' && own !== null && typeof theirs === 'object' && theirs !== null) {
    const other = theirs as Record<string, unknown>;
    return Object.fromEntries(Object.entries(own).map(([key, one]) => [key, withoutRounding(one, other[key])]));
  }
  if (typeof own !== 'string' || typeof theirs !== 'string' || own === '' || theirs === '') return own;
  const [a, b] = [Number(own), Number(theirs)];
  return Math.abs(a - b) <= 1e-11 * Math.max(Math.abs(a), Math.abs(b)) ? theirs : own;
}
