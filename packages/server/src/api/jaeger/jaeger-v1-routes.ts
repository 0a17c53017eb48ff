import { findTraces } from '../../query/jaeger/find-traces.ts';
import { listDependencies, listOperations, listServices } from '../../query/jaeger/list-names.ts';
import { getOtlpTrace, getOtlpTraces } from '../../query/traces/get-otlp-traces.ts';
import { toJaegerTrace } from './jaeger-model.ts';
import { readTraceId, required } from './jaeger-parameters.ts';
import { get, type JaegerRoute } from './jaeger-route.ts';

const dayMs = 86_400_000;

/** The JSON API of Jaeger's older page, which Grafana asks: everything in `data`. */
export const jaegerV1Routes: readonly JaegerRoute[] = [
  get('api/services', async ({ context }) => listed(await listServices(context))),
  get('api/services/{service}/operations', async ({ path, context }) => {
    const operations = await listOperations(context, path.service ?? '', '');
    return listed([...new Set(operations.map(({ name }) => name))]);
  }),
  get('api/operations', async ({ parameters, context }) => {
    const service = parameters.text('service');
    if (service === '') throw required('service');
    const operations = await listOperations(context, service, parameters.text('spanKind'));
    return listed(operations.map(({ name, kind }) => ({ name, spanKind: kind })));
  }),
  get('api/traces', async ({ parameters, context }) => {
    const ids = parameters.list('traceID').map((id) => readTraceId(id, 'traceID'));
    if (ids.length > 0) {
      const traces = await getOtlpTraces(context, ids);
      return enveloped(Array.from(traces, ([traceId, resourceSpans]) => toJaegerTrace({ traceId, resourceSpans })));
    }
    const search = parameters.searchV1();
    if (search.service === undefined) throw required('service');
    return enveloped((await findTraces(context, search)).map(toJaegerTrace));
  }),
  get('api/traces/{traceId}', async ({ path, parameters, context }) => {
    const traceId = readTraceId(path.traceId ?? '', 'traceID');
    // A trace is found without knowing when it was, and shown as it was sent: they are looked at for mistakes only.
    parameters.integer('start');
    parameters.integer('end');
    parameters.flagV1('raw');
    return enveloped([toJaegerTrace({ traceId, resourceSpans: await getOtlpTrace(context, traceId) })]);
  }),
  get('api/dependencies', async ({ parameters, context }) => {
    const end = parameters.integer('endTs') ?? context.nowMs;
    const lookback = parameters.integer('lookback') ?? dayMs;
    const service = parameters.text('service');
    const dependencies = await listDependencies(context, end - lookback, end);
    return enveloped(
      dependencies.filter(({ parent, child }) => service === '' || parent === service || child === service),
    );
  }),
];

function enveloped(data: readonly unknown[]): object {
  return { data, total: 0, limit: 0, offset: 0, errors: null };
}

function listed(data: readonly unknown[]): object {
  return { ...enveloped(data), total: data.length };
}
