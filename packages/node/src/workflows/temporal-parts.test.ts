import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator } from '@opentelemetry/core';
import { describe, expect, test } from 'vitest';
import { propagatorOf } from '../propagation/propagator-from-environment.ts';
import { buildPackage } from '../testing/child.ts';
import { record } from '../testing/record.ts';
import { Warnings } from '../warnings.ts';
import { propagatorNames } from './propagator-names.ts';
import { spanHash } from './sandbox/span-hash.ts';
import { failureMessage, failureType, isFailure } from './temporal-failure.ts';
import { carrierOf, withCarrier } from './temporal-header.ts';
import type { TemporalMetricsBuffer, TemporalMetricUpdate } from './temporal-metrics.ts';
import { temporalMetrics, temporalPlugin } from './temporal-plugin.ts';
import { temporalSurface } from './temporal-surface.ts';

const surface = [temporalSurface.instrumentation];

describe('headers', () => {
  test('carry what a propagator writes, beside those that are there', () => {
    const mine = { data: new Uint8Array([1]) };
    const headers = withCarrier({ mine }, { traceparent: '00-ab', baggage: 'ключ=ü' });
    expect(headers.mine).toBe(mine);
    expect(carrierOf(headers)).toEqual({ traceparent: '00-ab', baggage: 'ключ=ü' });
  });

  const payload = (text: string) => ({ '_tracer-data': { data: new TextEncoder().encode(text) } });
  test.each([
    ['nothing', {}],
    ['no payload', { '_tracer-data': null }],
    ['no JSON', payload('\u0000')],
    ['no object', payload('7')],
    ['null', payload('null')],
    ['too much', payload(JSON.stringify({ traceparent: 'x'.repeat(20_000) }))],
  ])('hold no trace: %s', (_name, headers) => expect(carrierOf(headers)).toBeUndefined());

  test('fields that are no text are left out', () => {
    expect(carrierOf(payload('{"traceparent":1,"b3":"x"}'))).toEqual({ b3: 'x' });
  });
});

test('ids of spans are 16 hex digits that do not repeat', () => {
  const ids = new Set<string>();
  for (let run = 0; run < 100; run += 1)
    for (let seq = 0; seq < 1000; seq += 1) ids.add(spanHash(`01a220a5-dbe4-76bb-b9a6-f60e7654${run}/activity/${seq}`));
  expect(ids.size).toBe(100_000);
  expect([...ids].filter((id) => !/^(?!0{16})[0-9a-f]{16}$/.test(id))).toEqual([]);
});

describe('propagators', () => {
  const warnings = new Warnings(true);
  const own: TextMapPropagator = { inject() {}, extract: (context) => context, fields: () => ['x-own'] };

  test.each(['tracecontext', 'b3', 'b3multi', 'jaeger', 'xray'])('%s is known by its fields', (name) => {
    expect(propagatorNames(propagatorOf([name, 'baggage'], 'test', warnings).fields())).toEqual([name, 'baggage']);
  });

  test('none is none', () => expect(propagatorNames([])).toEqual([]));

  test('one of the application beside a known one is none of its business', () => {
    const both = new CompositePropagator({ propagators: [propagatorOf(['b3'], 'test', warnings), own] });
    expect(propagatorNames(both.fields())).toEqual(['b3']);
  });

  test('one that workflows cannot read is an error that the caller gets', async () => {
    await record(surface, () => expect(() => temporalPlugin()).toThrow(/out of x-own.*tracecontext/), {
      propagator: own,
    });
  });
});

describe('failures', () => {
  const application = Object.assign(new Error('the bank is closed'), { type: 'BankClosed' });
  const activity = new Error('Activity task failed', { cause: application });

  test('have the type that the application gave them', () => {
    expect(failureType(activity)).toBe('BankClosed');
    expect(failureMessage(activity)).toBe('Activity task failed: the bank is closed');
    expect(failureType(new Error('plain'))).toBeUndefined();
    const circle = new Error('circle');
    circle.cause = circle;
    expect(failureMessage(circle)).toBe('circle: circle: circle: circle: circle');
  });

  test('are not what is thrown on purpose', () => {
    const named = (name: string) => Object.assign(new Error('x'), { name });
    expect(['Error', 'ContinueAsNew', 'CompleteAsyncError'].map((name) => isFailure(named(name)))).toEqual([
      true,
      false,
      false,
    ]);
    expect(isFailure(Object.assign(new Error('x'), { category: 'BENIGN' }))).toBe(false);
    expect(isFailure(undefined)).toBe(true);
  });
});

describe('the plugin', () => {
  test('adds to options what is not there yet, and keeps what is', async () => {
    buildPackage();
    const mine = { query: () => {} };
    await record(surface, () => {
      const plugin = temporalPlugin();
      const given = {
        taskQueue: 'x',
        interceptors: { activity: [mine], workflowModules: ['mine'] },
        sinks: { mine: {} },
      };
      const once = plugin.configureWorker(given);
      expect(once).toMatchObject({
        taskQueue: 'x',
        interceptors: {
          client: { workflow: [expect.any(Object)] },
          activity: [mine, expect.any(Function)],
          workflowModules: [
            'mine',
            expect.stringMatching(/temporal-workflow\.cjs\?propagators=tracecontext,baggage&spans=sampled$/),
          ],
        },
        sinks: { mine: {}, signalbox: { ended: { callDuringReplay: false } } },
      });
      expect(plugin.configureWorker(once)).toEqual(once);
      expect(given.interceptors.activity).toEqual([mine]);
      const client = plugin.configureClient({ interceptors: { workflow: [mine] } });
      expect(client.interceptors.workflow).toHaveLength(2);
      expect(plugin.configureBundler({ workflowsPath: 'x' })).toMatchObject({
        workflowInterceptorModules: [expect.stringContaining('temporal-workflow.cjs')],
      });
    });
  });

  test('leaves options alone where telemetry does not run', () => {
    const options = {};
    const plugin = temporalPlugin();
    expect(plugin.configureWorker(options)).toBe(options);
    expect(plugin.configureClient(options)).toBe(options);
    expect(plugin.configureBundler(options)).toBe(options);
  });
});

describe('metrics', () => {
  /** Hands out what a test puts in. */
  class Buffer implements TemporalMetricsBuffer {
    updates: TemporalMetricUpdate[] = [];
    retrieveUpdates() {
      return this.updates.splice(0).values();
    }
  }
  const metric = (name: string, kind: string, unit = '') => ({ name, kind, unit, description: '' });
  const tags = { namespace: 'default', task_queue: 'orders' };

  test('have the names, kinds, units and tags of the SDK, and are asked for before they are sent', async () => {
    const sink = await record(surface, () => {
      const { buffer } = temporalMetrics(Buffer) ?? expect.fail('metrics are on');
      const done = metric('temporal_workflow_completed', 'counter');
      const latency = metric('temporal_request_latency', 'histogram', 's');
      const pollers = metric('temporal_num_pollers', 'gauge');
      const open = metric('orders_open', 'up-down-counter', '{order}');
      buffer.updates.push(
        { metric: done, value: 2, attributes: tags },
        { metric: done, value: 1, attributes: { task_queue: 'orders', namespace: 'default' } },
        { metric: latency, value: 0.02, attributes: tags },
        { metric: pollers, value: 5, attributes: tags },
        { metric: pollers, value: 0, attributes: tags },
        { metric: open, value: 1, attributes: {} },
        { metric: open, value: -1, attributes: {} },
        { metric: metric('temporal_workflow_completed', 'histogram'), value: 1, attributes: {} },
      );
    });
    const points = sink.points.filter(({ scope }) => scope === '@signalbox/node/temporal');
    expect(points.map((each) => [each.metric, each.type, each.unit, each.attributes, each.value])).toEqual([
      ['temporal_workflow_completed', 'sum', '', tags, 3],
      ['temporal_request_latency', 'histogram', 's', tags, 0.02],
      ['orders_open', 'sum', '{order}', {}, 0],
      ['temporal_num_pollers', 'gauge', '', tags, 0],
    ]);
    expect(sink.point('temporal_workflow_completed').monotonic).toBe(true);
    expect(sink.point('temporal_request_latency').bounds).toContain(0.025);
  });

  test('are undefined where they are off, and an error where the SDK has no buffer', async () => {
    await record(surface, () => expect(temporalMetrics(Buffer)).toBeUndefined(), {
      switches: { temporal: { metrics: false } },
    });
    expect(() => temporalMetrics(undefined as never)).toThrow(/MetricsBuffer.*1\.15/);
  });
});
