import { findSummaries, findTraces, type JaegerSearch, type JaegerSummary } from '../../query/jaeger/find-traces.ts';
import { listDependencies, listOperations, listServices } from '../../query/jaeger/list-names.ts';
import type { QueryContext } from '../../query/query-context.ts';
import { nanosPerSecond } from '../../query/time-range.ts';
import { encodeOtlpTraces } from '../../query/traces/encode-otlp-traces.ts';
import { getOtlpTraces } from '../../query/traces/get-otlp-traces.ts';
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

/** As Jaeger does, no message for a trace that is not there. */
async function* getTrace(request: MessageFields, context: QueryContext): AsyncGenerator<Uint8Array> {
  const traceId = readTraceId(textOf(request, 1), 'trace_id');
  const [from, to] = [instant(request, 2), instant(request, 3)];
  const range = from === undefined || to === undefined ? undefined : { from, to: to + 1n };
  for (const trace of (await getOtlpTraces(context, [traceId], range)).values()) yield* encodeOtlpTraces(trace);
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
  const found = await listDependencies(context, ...dependencyRange(instant(request, 1), instant(request, 2)));
  return Buffer.concat(
    found.map(({ parent, child, callCount }) =>
      messageField(1, bytesField(1, parent), bytesField(2, child), varintField(3, callCount)),
    ),
  );
}

/** Of `FindTracesRequest` and `FindTraceSummariesRequest`. */
function search(request: MessageFields): JaegerSearch {
  const query = messageOf(request, 1);
  if (query === undefined) throw invalid('query', 'it is missing');
  if (query.has(10)) throw invalid('query.filter', 'filters are not supported here: use query.attributes');
  return searchOfV3({
    service: textOf(query, 1),
    operation: textOf(query, 2),
    tags: new Map(messagesOf(query, 3).map((entry) => [textOf(entry, 1), textOf(entry, 2)])),
    from: instant(query, 4),
    to: instant(query, 5),
    minDuration: instant(query, 6),
    maxDuration: instant(query, 7),
    depth: query.has(8) ? Number(integerOf(query, 8)) : undefined,
  });
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
