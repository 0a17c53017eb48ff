import { describe, expect, it } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type SpanInput, START_MS, spansOf } from '../testing/requests.ts';
import type { ServiceGraphConnector } from './service-graph-connector.ts';
import { serviceGraphFactory } from './service-graph-factory.ts';

function made(yaml = '{}') {
  const clock = { now: START_MS };
  const settings = settingsOf(yaml);
  const blueprint = serviceGraphFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const context = testContext({ now: () => clock.now });
  const connector = blueprint.create(context, sink.consumers) as ServiceGraphConnector;
  return {
    clock,
    sink,
    context,
    send: (...spans: SpanInput[]) => connector.consume(spansOf(...spans)),
    async flush() {
      sink.points.length = 0;
      connector.expire();
      await connector.flush();
      return (name: string) =>
        sink.points
          .filter(({ metric }) => metric.name === name)
          .map((point) => ({ ...point, attributes: Object.fromEntries(point.attributes) }));
    },
  };
}

const CLIENT: SpanInput = { resource: { 'service.name': 'web' }, kind: 3, spanId: 'b7ad6b7169203331', durationMs: 30 };
const SERVER: SpanInput = {
  resource: { 'service.name': 'shop' },
  kind: 2,
  parentSpanId: 'b7ad6b7169203331',
  durationMs: 20,
};
const TOTAL = 'traces_service_graph_request_total';

// Names, labels and rules as upstream's README and golden files have them.
describe('servicegraph', () => {
  it.each([
    ['the client first', [CLIENT, SERVER]],
    ['the server first', [SERVER, CLIENT]],
  ])('pairs a call with %s', async (_, spans) => {
    const { send, flush } = made('{latency_histogram_buckets: [10ms, 25ms]}');
    await send(...spans);
    const points = await flush();
    expect(points(TOTAL)).toEqual([
      expect.objectContaining({
        value: 1n,
        attributes: { client: 'web', server: 'shop', connection_type: '', failed: false },
        metric: expect.objectContaining({ type: 2, temporality: 2, monotonic: true }),
        scope: expect.objectContaining({ name: 'traces_service_graph' }),
      }),
    ]);
    expect(points('traces_service_graph_request_failed_total')).toEqual([]);
    expect(points('traces_service_graph_request_server')[0]).toMatchObject({
      metric: { unit: 's' },
      sum: 0.02,
      explicitBounds: [0.01, 0.025],
      bucketCounts: [0n, 1n, 0n],
    });
    expect(points('traces_service_graph_request_client')[0]).toMatchObject({ sum: 0.03, bucketCounts: [0n, 0n, 1n] });
  });

  it('counts failures of either side, and weighs sampled spans', async () => {
    const { send, flush } = made();
    await send({ ...CLIENT, traceState: 'ot=th:c' }, { ...SERVER, status: 2, traceState: 'ot=th:c' });
    const points = await flush();
    const attributes = { client: 'web', server: 'shop', connection_type: '', failed: true };
    expect(points(TOTAL)).toEqual([expect.objectContaining({ value: 4n, attributes })]);
    expect(points('traces_service_graph_request_failed_total')).toEqual([
      expect.objectContaining({ value: 4n, attributes }),
    ]);
  });

  it('knows messages and databases', async () => {
    const { send, flush } = made();
    await send({ ...CLIENT, kind: 4 }, { ...SERVER, kind: 5 });
    await send({ ...CLIENT, spanId: 'b7ad6b7169203332', attributes: { 'db.name': 'orders' } });
    expect((await flush())(TOTAL).map(({ attributes }) => attributes)).toEqual([
      { client: 'web', server: 'shop', connection_type: 'messaging_system', failed: false },
      { client: 'web', server: 'orders', connection_type: 'database', failed: false },
    ]);
  });

  it('makes virtual nodes of sides that send no spans', async () => {
    const { send, flush, clock } = made('{store: {ttl: 1s}, virtual_node_extra_label: true}');
    await send(
      { ...CLIENT, attributes: { 'peer.service': 'payments' } },
      { ...CLIENT, spanId: 'b7ad6b7169203332' },
      { ...SERVER, parentSpanId: '' },
      // Its parent is known, only its span is missing: no user.
      { ...SERVER, parentSpanId: 'b7ad6b7169203339' },
    );
    expect((await flush())(TOTAL)).toEqual([]);
    clock.now += 1_000;
    const points = await flush();
    const virtual = { connection_type: 'virtual_node', failed: false };
    expect(points(TOTAL).map(({ attributes }) => attributes)).toEqual([
      { ...virtual, client: 'web', server: 'payments', virtual_node: 'server' },
      { ...virtual, client: 'web', server: 'unknown', virtual_node: 'server' },
      { ...virtual, client: 'user', server: 'shop', virtual_node: 'client' },
    ]);
    // Nobody knows how long a server took that sent no span.
    expect(points('traces_service_graph_request_server')[0]).toMatchObject({ count: 0n });
    expect(points('traces_service_graph_request_client')[0]).toMatchObject({ count: 1n, sum: 0.03 });
  });

  it('bounds the calls that wait: the oldest waits no longer', async () => {
    const { send, flush, context } = made('store: {max_items: 2}');
    await send(...['1', '2', '3'].map((digit) => ({ ...CLIENT, spanId: digit.padStart(16, '0') })));
    expect(context.gauged('signalbox_servicegraph_pending_edges')).toBe(2);
    expect((await flush())(TOTAL)).toEqual([expect.objectContaining({ value: 1n })]);
  });

  it('flushes after each batch when told to', async () => {
    const { send, sink } = made('metrics_flush_interval: 0');
    await send(CLIENT, SERVER);
    expect(sink.points.filter(({ metric }) => metric.name === TOTAL)).toHaveLength(1);
  });
});
