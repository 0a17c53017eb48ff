import type { QueryContext } from '../../query/query-context.ts';
import { nanosPerSecond, type TimeRange } from '../../query/time-range.ts';
import { searchTraceqlInParts } from '../../query/traceql/search-traceql.ts';
import { listTagValues, type TagValue } from '../../query/traceql/tags/list-tag-values.ts';
import { listTags, TAG_SCOPES, type TagScope } from '../../query/traceql/tags/list-tags.ts';
import { tagFilter } from '../../query/traceql/tags/tag-filter.ts';
import { type GrpcMethod, oneMessage } from '../grpc/grpc-service.ts';
import { bytesField, integerOf, type MessageFields, textOf } from '../protobuf-fields.ts';
import { encodeSearchResponse, encodeTags, encodeTagValues } from './encode-protobuf.ts';
import { encodeQueryInstant, encodeQueryRange, queryInstantResponse, queryRangeResponse } from './metrics-response.ts';
import { evaluate, instantStep, rangeSteps } from './routes/metrics.ts';
import { traceqlSearch } from './routes/search.ts';
import { readTagField, readV1TagField } from './routes/tags.ts';
import { searchResponse } from './search-response.ts';
import { invalid, readQuery } from './tempo-parameters.ts';

const defaultLimit = 20;
const maxLimit = 10_000;
const defaultSpansPerSpanset = 3;
const defaultTags = 1_000;
/** Hundredths of the range stand for Tempo's jobs, from which clients tell how far the search is. */
const jobs = 100;
const lookbackNanos = 6n * 3_600n * nanosPerSecond;

/** `tempopb.StreamingQuerier` (tempo.proto), by the paths of its methods. Each stream but that of `Search` is one message: the whole answer. */
export const streamingQuerier: ReadonlyMap<string, GrpcMethod> = new Map<string, GrpcMethod>(
  Object.entries({
    Search: search,
    SearchTags: oneMessage(tagsV1),
    SearchTagsV2: oneMessage(tags),
    SearchTagValues: oneMessage(valuesV1),
    SearchTagValuesV2: oneMessage(values),
    MetricsQueryRange: oneMessage(queryRange),
    MetricsQueryInstant: oneMessage(queryInstant),
  }).map(([name, method]) => [`/tempopb.StreamingQuerier/${name}`, method]),
);

/** Each message has the traces found since the one before, newest first; together they are the answer. */
async function* search(request: MessageFields, context: QueryContext): AsyncGenerator<Uint8Array> {
  const limit = Math.min(Number(integerOf(request, 4)) || defaultLimit, maxLimit);
  const range = secondsRange(request, 5, 6);
  const spansPerSpanset = Number(integerOf(request, 9)) || defaultSpansPerSpanset;
  const asked = traceqlSearch(textOf(request, 8) || '{}', range, limit, context.nowMs);
  for await (const part of searchTraceqlInParts(context, asked)) {
    const response = searchResponse(part, spansPerSpanset);
    const metrics = { ...response.metrics, completedJobs: Math.floor(part.searchedShare * jobs), totalJobs: jobs };
    yield encodeSearchResponse({ ...response, metrics });
  }
}

/** undefined: neither is given. Seconds since 1970. */
function secondsRange(request: MessageFields, start: number, end: number): TimeRange | undefined {
  const [from, to] = [integerOf(request, start), integerOf(request, end)];
  if (from === 0n && to === 0n) return undefined;
  if (from > to) throw invalid('start', 'start must be before end');
  return { from: from * nanosPerSecond, to: to * nanosPerSecond };
}

async function readTags(request: MessageFields, context: QueryContext): Promise<{ name: TagScope; tags: string[] }[]> {
  const scope = textOf(request, 1);
  const known = TAG_SCOPES.find((candidate) => candidate === scope);
  if (known === undefined && scope !== '' && scope !== 'none') throw invalid('scope', `invalid scope: ${scope}`);
  return await listTags(context, {
    range: secondsRange(request, 3, 4) ?? recently(context),
    scopes: known === undefined ? TAG_SCOPES : [known],
    filter: tagFilter(textOf(request, 2)),
    limit: Number(integerOf(request, 5)) || defaultTags,
  });
}

async function tags(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  return encodeTags(await readTags(request, context));
}

async function tagsV1(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const scopes = await readTags(request, context);
  const isAsked = textOf(request, 1) === 'intrinsic';
  const names = new Set(scopes.flatMap(({ name, tags: own }) => (name === 'intrinsic' && !isAsked ? [] : own)));
  return Buffer.concat([...names].sort().map((name) => bytesField(1, name)));
}

async function readValues(request: MessageFields, context: QueryContext, read = readTagField): Promise<TagValue[]> {
  return await listTagValues(context, {
    field: read(textOf(request, 1)),
    filter: tagFilter(textOf(request, 2)),
    range: secondsRange(request, 4, 5) ?? recently(context),
    limit: Number(integerOf(request, 6)) || defaultTags,
  });
}

async function values(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  return encodeTagValues(await readValues(request, context));
}

async function valuesV1(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const found = await readValues(request, context, readV1TagField);
  return Buffer.concat([...new Set(found.map(({ value }) => value))].map((value) => bytesField(1, value)));
}

function recently({ nowMs }: QueryContext): TimeRange {
  const to = BigInt(nowMs) * 1_000_000n;
  return { from: to - lookbackNanos, to };
}

async function queryRange(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const step = integerOf(request, 4);
  const steps = rangeSteps({ from: integerOf(request, 2), to: integerOf(request, 3) }, step === 0n ? undefined : step);
  const series = await evaluate(context, readQuery('q', textOf(request, 1)), steps, Number(integerOf(request, 16)));
  return encodeQueryRange(queryRangeResponse(series, steps));
}

async function queryInstant(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const steps = instantStep({ from: integerOf(request, 2), to: integerOf(request, 3) });
  return encodeQueryInstant(
    queryInstantResponse(await evaluate(context, readQuery('q', textOf(request, 1)), steps, 0)),
  );
}
