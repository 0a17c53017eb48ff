import { findSummaries, findTraces, type JaegerSearch, type JaegerSummary } from '../../query/jaeger/find-traces.ts';
import { listDependencies, listOperations, listServices } from '../../query/jaeger/list-names.ts';
import type { QueryContext } from '../../query/query-context.ts';
import { QueryInputError } from '../../query/query-input-error.ts';
import { nanosPerSecond } from '../../query/time-range.ts';
import { encodeOtlpTraces } from '../../query/traces/encode-otlp-traces.ts';
import { getOtlpTrace } from '../../query/traces/get-otlp-traces.ts';
import { type GrpcMethod, oneMessage } from '../grpc/grpc-service.ts';
import {
  bytesField,
  fixed64Field,
  integerOf,
  type MessageFields,
  messageField,
  messageOf,
  messagesOf,
  textOf,
  varintField,
} from '../protobuf-fields.ts';
import { dependencyRange, invalid, readTraceId, searchOfV3 } from './jaeger-parameters.ts';

/** `jaeger.api_v3.QueryService` (jaeger-idl, `query_service.proto`), by the paths of its methods. */
export const jaegerQueryService: ReadonlyMap<string, GrpcMethod> = new Map<string, GrpcMethod>(
  Object.entries({
    GetTrace: getTrace,
    FindTraces: find,
    FindTraceSummaries: oneMessage(summarise),
    GetServices: oneMessage(services),
    GetOperations: oneMessage(operations),
    GetDependencies: oneMessage(dependencies),
  }).map(([name, method]) => [`/jaeger.api_v3.QueryService/${name}`, method]),
);

async function* getTrace(request: MessageFields, context: QueryContext): AsyncGenerator<Uint8Array> {
  const traceId = readTraceId(textOf(request, 1), 'trace_id');
  const [from, to] = [instant(request, 2), instant(request, 3)];
  const range = from === undefined || to === undefined ? undefined : { from, to: to + 1n };
  yield* encodeOtlpTraces(await getOtlpTrace(context, traceId, range));
}

/** A message is a trace, or a part of a large one. */
async function* find(request: MessageFields, context: QueryContext): AsyncGenerator<Uint8Array> {
  for (const { resourceSpans } of await findTraces(context, search(request))) yield* encodeOtlpTraces(resourceSpans);
}

async function summarise(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const summaries = await findSummaries(context, search(request));
  return Buffer.concat(summaries.map(encodeSummary));
}

async function services(_: MessageFields, context: QueryContext): Promise<Uint8Array> {
  return Buffer.concat((await listServices(context)).map((service) => bytesField(1, service)));
}

async function operations(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const found = await listOperations(context, textOf(request, 1), textOf(request, 2));
  return Buffer.concat(found.map(({ name, kind }) => messageField(1, bytesField(1, name), bytesField(2, kind))));
}

async function dependencies(request: MessageFields, context: QueryContext): Promise<Uint8Array> {
  const [from, to] = [instant(request, 1), instant(request, 2)];
  if (from === undefined) throw missing('start_time', 'start_time is required');
  if (to === undefined) throw missing('end_time', 'end_time is required');
  if (to <= from) throw missing('end_time', 'end_time must be after start_time');
  const found = await listDependencies(context, ...dependencyRange(from, to));
  return Buffer.concat(
    found.map(({ parent, child, callCount }) =>
      messageField(1, bytesField(1, parent), bytesField(2, child), varintField(3, callCount)),
    ),
  );
}

/** Of `FindTracesRequest` and `FindTraceSummariesRequest`. */
function search(request: MessageFields): JaegerSearch {
  const query = messageOf(request, 1);
  if (query === undefined) throw missing('query', 'missing query');
  if (query.has(10)) throw invalid('query.filter', 'filters are not supported here: use query.attributes');
  const [from, to] = [instant(query, 4), instant(query, 5)];
  if (from === undefined || to === undefined)
    throw missing('start_time_min', 'start time min and max are required parameters');
  const depth = Number(BigInt.asIntN(32, integerOf(query, 8)));
  return searchOfV3({
    service: textOf(query, 1),
    operation: textOf(query, 2),
    tags: new Map(messagesOf(query, 3).map((entry) => [textOf(entry, 1), textOf(entry, 2)])),
    from,
    to,
    minDuration: instant(query, 6),
    maxDuration: instant(query, 7),
    // What protobuf can't tell from an absent number, and what is none.
    depth: depth > 0 ? depth : undefined,
  });
}

/** In Jaeger's words. */
function missing(parameter: string, message: string): QueryInputError {
  return new QueryInputError(message, { parameter });
}

/** Nanoseconds of a `Timestamp` or `Duration`; undefined: absent or 0. */
function instant(fields: MessageFields, field: number): bigint | undefined {
  const time = messageOf(fields, field);
  if (time === undefined) return undefined;
  const nanos = BigInt.asIntN(64, integerOf(time, 1)) * nanosPerSecond + BigInt.asIntN(64, integerOf(time, 2));
  return nanos === 0n ? undefined : nanos;
}

function encodeSummary({ traceId, root, start, end, services: own, orphanCount }: JaegerSummary): Uint8Array {
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  return messageField(
    1,
    bytesField(1, traceId),
    bytesField(2, root?.service ?? ''),
    bytesField(3, root?.name ?? ''),
    fixed64Field(4, start),
    fixed64Field(5, end),
    varintField(6, sum(own.map(({ spanCount }) => spanCount))),
    varintField(7, sum(own.map(({ errorCount }) => errorCount))),
    varintField(8, orphanCount),
    ...own.map(({ service, spanCount, errorCount }) =>
      messageField(9, bytesField(1, service), varintField(2, spanCount), varintField(3, errorCount)),
    ),
  );
}
