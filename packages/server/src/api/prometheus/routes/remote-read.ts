import {
  decodeRemoteRead,
  encodeChunkedRead,
  encodeRemoteRead,
  ProtocolDecodeError,
  type ReadSeries,
  type RemoteReadQuery,
  type RemoteReadRequest,
  RemoteReadResponseType,
} from '@signalbox/protocols';
import { compileMatcher } from '@signalbox/query-language';
import { PromqlError } from '../../../query/promql/promql-error.ts';
import type { RawSeries } from '../../../query/promql/queryable.ts';
import { sortByLabels } from '../../../query/promql/sort-by-labels.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../../query/promql-store/store-queryable.ts';
import { Turns } from '../../../query/turns.ts';
import { PrometheusError } from '../prometheus-error.ts';
import type { BytesAnswer, PrometheusRoute, StreamAnswer } from '../prometheus-route.ts';

export interface RemoteReadOptions {
  readonly catalog: SeriesCatalog;
  readonly engine: { readonly maxSamples: number };
}

const maxCompressedBytes = 1024 * 1024;
const maxBytes = 8 * 1024 * 1024;
const maxQueries = 100;
/** An answer of type SAMPLES is made in one piece, of about 18 bytes for each: so many take some 20 MB. */
const maxSamples = 1_000_000;
/** Buckets of a histogram that are as much as a sample. */
const bucketsPerSample = 2;

/**
 * Remote read (https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/). Of chunks, a query's samples are read at once and packed
 * as the client takes them.
 */
export function remoteReadRoutes({ catalog, engine }: RemoteReadOptions): PrometheusRoute[] {
  return [
    {
      method: 'POST',
      pattern: 'read',
      about: {
        summary: 'Remote read: a ReadRequest in protobuf, packed with Snappy.',
        body: 'application/x-protobuf',
        answers: 'application/x-protobuf',
      },
      async run({ body, context }): Promise<BytesAnswer | StreamAnswer> {
        const { queries, acceptedTypes } = readRequest(await body(maxCompressedBytes));
        if (queries.length > maxQueries) throw new PrometheusError('bad_data', `more than ${maxQueries} queries`);
        const isChunked = negotiate(acceptedTypes) === RemoteReadResponseType.StreamedXorChunks;
        const limit = isChunked ? engine.maxSamples : Math.min(maxSamples, engine.maxSamples);
        const source = new StoreQueryable(context, catalog, { maxSamples: limit });
        const results = selectAll(source, queries, limit, new Turns(context));
        return isChunked ? await streamChunks(results) : await encodeSamples(results);
      },
    },
  ];
}

/** The first type of the client's that is there. */
function negotiate(acceptedTypes: readonly number[]): number {
  const known: number[] = Object.values(RemoteReadResponseType);
  const chosen =
    acceptedTypes.length === 0 ? RemoteReadResponseType.Samples : acceptedTypes.find((type) => known.includes(type));
  if (chosen !== undefined) return chosen;
  throw new PrometheusError(
    'bad_data',
    `server does not support any of the requested response types: [${acceptedTypes.join(' ')}]; supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]`,
  );
}

/** The series of one query after the other, each in their order. */
async function* selectAll(
  source: StoreQueryable,
  queries: readonly RemoteReadQuery[],
  limit: number,
  turns: Turns,
): AsyncGenerator<readonly RawSeries[]> {
  let left = limit;
  for (const query of queries) {
    const found = [...(await select(source, query, limit))];
    for (const series of found) left -= sizeOf(series);
    if (left < 0) throw tooMany(limit);
    await sortByLabels(found, turns);
    yield found;
  }
}

async function encodeSamples(results: AsyncIterable<readonly RawSeries[]>): Promise<BytesAnswer> {
  const shown: ReadSeries[][] = [];
  for await (const found of results) shown.push(found.map(readSeries));
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
  return { headers, bytes: encodeRemoteRead(shown) };
}

/** Resolves when the first query has its series: what is wrong with it can still be said. Later mistakes break the answer off. */
async function streamChunks(results: AsyncGenerator<readonly RawSeries[]>): Promise<StreamAnswer> {
  const first = await results.next();
  async function* frames(): AsyncGenerator<Uint8Array> {
    let index = 0;
    for (let result = first; !result.done; result = await results.next()) {
      for (const series of result.value) yield* encodeChunkedRead(index, readSeries(series));
      index++;
    }
  }
  const headers = { 'content-type': 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse' };
  return { headers, stream: frames(), isPacked: true };
}

function readSeries(series: RawSeries): ReadSeries {
  return { ...series, labels: series.labels.entries() };
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
