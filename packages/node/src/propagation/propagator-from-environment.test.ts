import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { Environment } from '../environment.ts';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import { propagatorFromEnvironment } from './propagator-from-environment.ts';

const traceId = '463ac35c9f6413ad48485a3953bb6124';
const spanId = 'a2fb4a1d1a96d312';
const sampled = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });

function propagator(names: string) {
  const warnings = new RecordedWarnings();
  return {
    ...warnings,
    propagator: propagatorFromEnvironment(new Environment({ OTEL_PROPAGATORS: names }, warnings), warnings),
  };
}

function injected(names: string): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagator(names).propagator.inject(sampled, carrier, defaultTextMapSetter);
  return carrier;
}

/** Headers as the formats' own documents show them. */
const formats: Record<string, Record<string, string>> = {
  tracecontext: { traceparent: `00-${traceId}-${spanId}-01` },
  b3: { b3: `${traceId}-${spanId}-1` },
  b3multi: { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': '1' },
  jaeger: { 'uber-trace-id': `${traceId}:${spanId}:0:01` },
  xray: { 'x-amzn-trace-id': `Root=1-463ac35c-9f6413ad48485a3953bb6124;Parent=${spanId};Sampled=1` },
};

describe('OTEL_PROPAGATORS', () => {
  test.each(Object.entries(formats))('%s writes and reads its headers', (name, headers) => {
    expect(injected(name)).toEqual(headers);
    const context = propagator(name).propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    expect(trace.getSpanContext(context)).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true });
  });

  test('several are all written, each once', () => {
    expect(injected('b3, jaeger,b3')).toEqual({ ...formats.b3, ...formats.jaeger });
  });

  test('none writes nothing', () => {
    expect(injected('none')).toEqual({});
  });

  test('an unknown one is warned about, the others stay', () => {
    const { said, propagator: known } = propagator('ottrace,b3');
    expect(known.fields()).toEqual(['b3']);
    expect(said).toEqual([expect.stringContaining('ottrace is not supported (deprecated')]);
  });
});
