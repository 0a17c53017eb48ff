import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { carryContext, continueContext } from './carry-context.ts';

describe('three processes, over a protocol of their own', () => {
  const sink = new OtlpSink();
  afterAll(() => sink.close());

  beforeAll(async () => {
    buildPackage();
    await sink.listen();
    // A node calls its right neighbour with its name for a request, and hears from all of them by a message to everybody.
    const app = new App({
      file: 'app.mjs',
      source: `
        import { fork } from 'node:child_process';
        import { once } from 'node:events';
        import { carryContext, continueContext, start, traced } from '@signalbox/node';
        import { propagation } from '@opentelemetry/api';
        const name = process.argv[2] ?? 'one';
        const telemetry = start({ serviceName: name });
        const next = { one: 'two', two: 'three' }[name];
        const neighbour = next && fork(new URL(import.meta.url), [next]);
        const call = traced(async (method) => {
          neighbour.send({ method, context: carryContext() });
          const [answer] = await once(neighbour, 'message');
          return answer;
        }, { name: 'call' });
        const handle = { put: traced(async () => [name, ...(next ? await call('put') : [])], { name: 'put' }),
          tenant: traced(async () => [propagation.getActiveBaggage()?.getEntry('tenant')?.value, ...(next ? await call('tenant') : [])], { name: 'tenant' }) };
        if (process.send === undefined) {
          const { context } = await import('@opentelemetry/api');
          console.log(JSON.stringify(await handle.put()));
          const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
          console.log(JSON.stringify(await context.with(propagation.setBaggage(context.active(), baggage), handle.tenant)));
          neighbour.disconnect();
          await once(neighbour, 'exit');
          await telemetry.shutdown();
        } else {
          process.on('message', async ({ method, context }) => process.send(await continueContext(context, handle[method])));
          process.on('disconnect', async () => { neighbour?.disconnect(); if (neighbour) await once(neighbour, 'exit'); await telemetry.shutdown(); process.exit(); });
        }`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'processes' },
      nodeArguments: [],
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    expect(app.stdout.trim().split('\n')).toEqual(['["one","two","three"]', '["acme","acme","acme"]']);
  }, 120_000);

  test('are one trace, each call a child of the one before', () => {
    const byService = (name: string, service: string): SinkSpan => {
      const found = sink.spans.find((span) => span.name === name && span.resource['service.name'] === service);
      if (found === undefined) throw new Error(`no span ${name} of ${service}`);
      return found;
    };
    const chain = [
      byService('put', 'one'),
      ...sink.spans.filter(({ name, resource }) => name === 'call' && resource['service.name'] === 'one').slice(0, 1),
      byService('put', 'two'),
      ...sink.spans.filter(({ name, resource }) => name === 'call' && resource['service.name'] === 'two').slice(0, 1),
      byService('put', 'three'),
    ];
    expect(chain.map(({ parentSpanId }) => parentSpanId)).toEqual([
      '',
      ...chain.slice(0, -1).map(({ spanId }) => spanId),
    ]);
    expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(1);
  });
});

test.each([
  ['nothing', undefined],
  ['a text', 'traceparent'],
  ['another kind of value', { traceparent: 7 }],
  ['no trace', { traceparent: '00-nonsense' }],
])('%s from elsewhere begins a trace of its own', async (_, carried) => {
  const sink = await record([functionSurface.instrumentation], () => {
    traced(
      () =>
        continueContext(
          carried,
          traced(() => {}, { name: 'inside' }),
        ),
      { name: 'outside' },
    )();
  });
  expect(sink.span('inside')).toMatchObject({ parentSpanId: '', kind: 2 });
});

test('without telemetry there is nothing to carry', () => {
  expect(carryContext()).toEqual({});
  expect(continueContext({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }, () => 5)).toBe(5);
});
