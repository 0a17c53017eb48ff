import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { findSummaries, findTraces, type JaegerSummary } from '../../query/jaeger/find-traces.ts';
import { listDependencies, listOperations, listServices } from '../../query/jaeger/list-names.ts';
import { getOtlpTraces, type OtlpResourceSpans } from '../../query/traces/get-otlp-traces.ts';
import { dependencyRange, readTraceId } from './jaeger-parameters.ts';
import { get, type JaegerRoute } from './jaeger-route.ts';

/** api_v3 over HTTP (jaeger-idl, `query_service.proto`): traces are OTLP/JSON. */
export const jaegerV3Routes: readonly JaegerRoute[] = [
  get('api/v3/services', async ({ context }) => ({ services: await listServices(context) })),
  get('api/v3/operations', async ({ parameters, context }) => {
    const kind = parameters.text('spanKind', 'span_kind');
    const operations = await listOperations(context, parameters.text('service'), kind);
    return { operations: operations.map(({ name, kind: spanKind }) => ({ name, spanKind: spanKind || 'internal' })) };
  }),
  get('api/v3/traces/{traceId}', async ({ path, parameters, context }) => {
    const from = parameters.instant('startTime', 'start_time');
    const to = parameters.instant('endTime', 'end_time');
    const range = from === undefined || to === undefined ? undefined : { from, to: to + 1n };
    parameters.flag('rawTraces', 'raw_traces');
    const traceId = readTraceId(path.traceId ?? '', 'trace_id');
    const trace = (await getOtlpTraces(context, [traceId], range)).get(traceId);
    if (trace === undefined) throw new SignalboxError('not_found', 'No traces found');
    return resultOf(trace);
  }),
  get('api/v3/traces', async ({ parameters, context }) => {
    const traces = await findTraces(context, parameters.searchV3());
    if (traces.length === 0) throw new SignalboxError('not_found', 'No traces found');
    return resultOf(traces.flatMap(({ resourceSpans }) => resourceSpans));
  }),
  get('api/v3/trace-summaries', async ({ parameters, context }) => {
    const summaries = await findSummaries(context, parameters.searchV3());
    return { summaries: summaries.map(toSummary) };
  }),
  get('api/v3/dependencies', async ({ parameters, context }) => {
    const from = parameters.instant('startTime', 'start_time');
    const to = parameters.instant('endTime', 'end_time');
    const dependencies = await listDependencies(context, ...dependencyRange(from, to));
    return { dependencies: dependencies.map((each) => ({ ...each, callCount: String(each.callCount) })) };
  }),
];

function resultOf(resourceSpans: readonly OtlpResourceSpans[]): object {
  return { result: { resourceSpans: withoutDefaults(resourceSpans) } };
}

function toSummary({ traceId, start, end, root, services, orphanCount }: JaegerSummary): object {
  const own = services.map(({ service, spanCount, errorCount }) => {
    return { name: service, spanCount, errorSpanCount: errorCount };
  });
  return withoutDefaults({
    traceId,
    rootServiceName: root?.service ?? '',
    rootOperationName: root?.name ?? '',
    minStartTimeUnixNano: String(start),
    maxEndTimeUnixNano: String(end),
    spanCount: own.reduce((sum, { spanCount }) => sum + spanCount, 0),
    errorSpanCount: own.reduce((sum, { errorSpanCount }) => sum + errorSpanCount, 0),
    orphanSpanCount: orphanCount,
    services: own,
  }) as object;
}

/** JSON of protobuf leaves defaults out; messages stay, except values, whose defaults are values. */
function withoutDefaults(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutDefaults(each));
  if (typeof value !== 'object' || value === null || key === 'value') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== '' && part !== 0 && !(Array.isArray(part) && part.length === 0))
      .map(([name, part]) => [name, withoutDefaults(part, name)]),
  );
}
