import { encodeOtlpTraces } from '../../../query/traces/encode-otlp-traces.ts';
import { getOtlpTrace, type OtlpResourceSpans, widenedRange } from '../../../query/traces/get-otlp-traces.ts';
import { encodeTraceByIdResponse } from '../encode-protobuf.ts';
import { encodeTraceJson } from '../encode-trace-json.ts';
import { readTraceId } from '../tempo-parameters.ts';
import { get, type TempoRequest, type TempoRoute } from '../tempo-route.ts';

/** A trace by its id: spans as OTLP has them. */
export const traceRoutes: readonly TempoRoute[] = [
  get('api/traces/{traceId}', async (request) => {
    const trace = await readTrace(request);
    return { json: () => ({ batches: encodeTraceJson(trace) }), protobuf: () => encodeTrace(trace) };
  }),
  get('api/v2/traces/{traceId}', async (request) => {
    const trace = await readTrace(request);
    return {
      json: () => ({ trace: { resourceSpans: encodeTraceJson(trace) }, metrics: {}, status: 'COMPLETE' }),
      protobuf: () => encodeTraceByIdResponse(encodeTrace(trace)),
    };
  }),
];

function encodeTrace(trace: readonly OtlpResourceSpans[]): Uint8Array {
  return Buffer.concat([...encodeOtlpTraces(trace)]);
}

function readTrace({ path, parameters, context }: TempoRequest): ReturnType<typeof getOtlpTrace> {
  const range = parameters.range();
  const traceId = readTraceId(path.traceId ?? '');
  return getOtlpTrace(context, traceId, range === undefined ? undefined : widenedRange(range));
}
