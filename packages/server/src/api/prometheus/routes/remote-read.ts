import {
  decodeRemoteRead,
  encodeRemoteRead,
  ProtocolDecodeError,
  type RemoteReadQuery,
  type RemoteReadRequest,
  RemoteReadResponseType,
} from '@signalbox/protocols';
import { compileMatcher } from '@signalbox/query-language';
import { PromqlError } from '../../../query/promql/promql-error.ts';
import type { RawSeries } from '../../../query/promql/queryable.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../../query/promql-store/store-queryable.ts';
import { PrometheusError } from '../prometheus-error.ts';
import type { BytesAnswer, PrometheusRoute } from '../prometheus-route.ts';

export interface RemoteReadOptions {
  readonly catalog: SeriesCatalog;
  readonly engine: { readonly maxSamples: number };
}

const maxCompressedBytes = 1024 * 1024;
const maxBytes = 8 * 1024 * 1024;
const maxQueries = 100;
/** The answer is made in one piece, of about 18 bytes for each: so many take some 20 MB. */
const maxSamples = 1_000_000;
/** Buckets of a histogram that are as much as a sample. */
const bucketsPerSample = 2;

/** Remote read (https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/), with answers of type SAMPLES. */
export function remoteReadRoutes({ catalog, engine }: RemoteReadOptions): PrometheusRoute[] {
  const limit = Math.min(maxSamples, engine.maxSamples);
  return [
    {
      method: 'POST',
      pattern: 'read',
      about: {
        summary: 'Remote read: a ReadRequest in protobuf, packed with Snappy.',
        body: 'application/x-protobuf',
        answers: 'application/x-protobuf',
      },
      async run({ body, context }): Promise<BytesAnswer> {
        const { queries, acceptedTypes } = readRequest(await body(maxCompressedBytes));
        if (acceptedTypes.length > 0 && !acceptedTypes.includes(RemoteReadResponseType.Samples)) {
          throw new PrometheusError('bad_data', 'only the response type SAMPLES is there: let the client accept it');
        }
        if (queries.length > maxQueries) throw new PrometheusError('bad_data', `more than ${maxQueries} queries`);
        const source = new StoreQueryable(context, catalog, { maxSamples: limit });
        const results: (readonly RawSeries[])[] = [];
        let left = limit;
        for (const query of queries) {
          const found = await select(source, query, limit);
          for (const series of found) left -= sizeOf(series);
          if (left < 0) throw tooMany(limit);
          results.push([...found].sort((a, b) => compareLabels(a.labels, b.labels)));
        }
        const bytes = encodeRemoteRead(
          results.map((found) => found.map((series) => ({ ...series, labels: series.labels.entries() }))),
        );
        return { headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' }, bytes };
      },
    },
  ];
}

function readRequest(body: Uint8Array): RemoteReadRequest {
  try {
    return decodeRemoteRead(body, maxBytes);
  } catch (error) {
    if (error instanceof ProtocolDecodeError) throw new PrometheusError('bad_data', error.message, { cause: error });
    throw error;
  }
}

async function select(
  source: StoreQueryable,
  { matchers, startMs, endMs }: RemoteReadQuery,
  limit: number,
): Promise<readonly RawSeries[]> {
  for (const matcher of matchers) {
    try {
      compileMatcher(matcher);
    } catch (error) {
      throw new PrometheusError('bad_data', `error parsing regexp: ${(error as Error).message}`, { cause: error });
    }
  }
  const hints = { stepMs: 0, rangeMs: Math.max(1, endMs - startMs), function: '', histogramStats: false };
  try {
    return await source.select({ matchers, startMs, endMs, hints });
  } catch (error) {
    if (error instanceof PromqlError && error.kind === 'execution') throw tooMany(limit, error);
    throw error;
  }
}

function tooMany(limit: number, cause?: unknown): PrometheusError {
  return new PrometheusError('bad_data', `exceeded sample limit (${limit}): ask for less time or fewer series`, {
    cause,
  });
}

function sizeOf({ times, histograms = [] }: RawSeries): number {
  return histograms.reduce((sum, histogram) => sum + (histogram?.size ?? 0) / bucketsPerSample, times.length);
}

/** The order in which clients merge with what they have: by name and value of the first label that differs. */
function compareLabels(a: RawSeries['labels'], b: RawSeries['labels']): number {
  for (let i = 0; i < Math.min(a.size, b.size); i++) {
    const order =
      Buffer.compare(Buffer.from(a.names[i]), Buffer.from(b.names[i])) ||
      Buffer.compare(Buffer.from(a.values[i]), Buffer.from(b.values[i]));
    if (order !== 0) return order;
  }
  return a.size - b.size;
}
