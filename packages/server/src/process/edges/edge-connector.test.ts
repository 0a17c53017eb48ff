import type { SpanBatch } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../pipeline/consumer.ts';
import type { EdgeRow } from '../../pipeline/span-metrics-row.ts';
import { RowCollector, spanBatch, type TestSpan } from '../testing/spans.ts';
import { EdgeConnector, type EdgeConnectorOptions } from './edge-connector.ts';

const CLIENT = 'aaaaaaaaaaaaaaaa';
const client: TestSpan = { service: 'web', kind: 3, spanId: CLIENT, duration: 5000n };
const server: TestSpan = { service: 'api', kind: 2, spanId: 'bbbbbbbbbbbbbbbb', parentSpanId: CLIENT, duration: 3000n };

function connector(options: Partial<EdgeConnectorOptions> = {}) {
  const collector = new RowCollector<EdgeRow>();
  const errors: unknown[] = [];
  const clock = { now: 0 };
  const edges = new EdgeConnector(collector, {
    onError: (error) => errors.push(error),
    now: () => clock.now,
    ...options,
  });
  const found = () => collector.rows.map((row) => `${row.source} > ${row.targetType} ${row.target} x${row.count}`);
  return { edges, collector, errors, clock, found };
}

describe('EdgeConnector', () => {
  it.each([
    ['in one batch', [[client, server]]],
    ['in one batch, the service called first', [[server, client]]],
    ['the caller first', [[client], [server]]],
    ['the service called first', [[server], [client]]],
  ])('joins both sides of a call: %s', async (_, batches) => {
    const { edges, collector, found } = connector();
    for (const spans of batches) {
      await edges.consume(spanBatch(...spans));
    }
    await edges.shutdown(1000);
    expect(found()).toEqual(['web > service api x1']);
    expect(collector.rows).toMatchObject([{ durationSum: 5000, durationMax: 5000, error: false }]);
  });

  it('counts the call as the caller saw it: error, weight', async () => {
    const { edges, collector } = connector();
    await edges.consume(spanBatch({ ...client, error: true, traceState: 'ot=th:8' }, server));
    await edges.flush();
    expect(collector.rows).toMatchObject([{ error: true, count: 2, durationSum: 10_000 }]);
  });

  it('does not join spans of different traces', async () => {
    const { edges, found } = connector();
    await edges.consume(spanBatch(client, { ...server, traceId: '00000000000000000000000000000001' }));
    await edges.shutdown(1000);
    expect(found()).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'stable',
      { 'db.system.name': 'postgresql', 'db.namespace': 'orders', 'server.address': 'db1' },
      'database postgresql:orders',
    ],
    ['old', { 'db.system': 'mysql', 'db.name': 'orders' }, 'database mysql:orders'],
    ['without a namespace', { 'db.system.name': 'mongodb', 'server.address': 'db1' }, 'database mongodb:db1'],
    ['both names', { 'db.system': 'old', 'db.system.name': 'new' }, 'database new'],
    ['Redis', { 'db.system.name': 'redis', 'db.namespace': '0', 'server.address': 'cache1' }, 'cache redis:cache1'],
    ['Redis, old', { 'db.system': 'redis', 'net.peer.name': 'cache1' }, 'cache redis:cache1'],
    ['Memcached', { 'db.system.name': 'memcached' }, 'cache memcached'],
  ])('does not wait for a database or cache: %s', async (_, attributes, expected) => {
    const { edges, found } = connector();
    await edges.consume(spanBatch({ ...client, attributes }));
    await edges.flush();
    expect(found()).toEqual([`web > ${expected} x1`]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['host', { 'server.address': 'api.github.com' }, 'external api.github.com'],
    ['old host', { 'net.peer.name': 'api.github.com' }, 'external api.github.com'],
    ['URL', { 'url.full': 'https://user:pass@api.github.com:8443/repos?x=1' }, 'external api.github.com'],
    ['IPv6 URL', { 'http.url': 'http://[::1]:80/' }, 'external [::1]'],
    ['service', { 'peer.service': 'billing', 'server.address': '10.0.0.1' }, 'external billing'],
    ['queue', { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' }, 'messaging kafka:orders'],
  ])('takes a call that nobody answers for one to what its span names: %s', async (_, attributes, expected) => {
    const { edges, clock, found } = connector();
    await edges.consume(spanBatch({ ...client, attributes }));
    clock.now = 9_999;
    await edges.flush();
    expect(found()).toEqual([]);
    clock.now = 10_000;
    await edges.flush();
    expect(found()).toEqual([`web > ${expected} x1`]);
  });

  it('prefers the service that answered to the host', async () => {
    const { edges, found } = connector();
    await edges.consume(spanBatch({ ...client, attributes: { 'server.address': 'api.internal' } }));
    await edges.consume(spanBatch(server));
    await edges.shutdown(1000);
    expect(found()).toEqual(['web > service api x1']);
  });

  it('follows a message to all its receivers', async () => {
    const producer: TestSpan = { ...client, kind: 4, attributes: { 'messaging.system': 'kafka' } };
    const consumer = (service: string): TestSpan => ({ ...server, service, kind: 5 });
    const { edges, found } = connector();
    await edges.consume(spanBatch(consumer('mail')));
    await edges.consume(spanBatch(producer));
    await edges.consume(spanBatch(consumer('billing')));
    await edges.shutdown(1000);
    expect(found()).toEqual(['web > service mail x1', 'web > service billing x1']);
  });

  it('lets the oldest calls leave when too many wait', async () => {
    const { edges, found } = connector({ maxPending: 2 });
    for (const [index, host] of ['one', 'two', 'three'].entries()) {
      const spanId = `000000000000000${index + 1}`;
      await edges.consume(spanBatch({ ...client, spanId, attributes: { 'server.address': host } }));
    }
    await edges.flush();
    expect(found()).toEqual(['web > external one x1']);
    await edges.shutdown(1000);
    expect(found()).toEqual(['web > external one x1', 'web > external two x1', 'web > external three x1']);
  });

  it('folds targets beyond the limit into one', async () => {
    const { edges, found } = connector({ maxTargetsPerSource: 1 });
    const names = ['a', 'b', 'c'].map((name) => ({ ...client, attributes: { 'db.system.name': name } }));
    await edges.consume(spanBatch(...names));
    await edges.flush();
    expect(found()).toEqual(['web > database a x1', 'web > database (other) x2']);
  });

  it('ignores internal spans and those of the edge of the world', async () => {
    const { edges, found } = connector();
    await edges.consume(spanBatch({ kind: 1, attributes: { 'db.system.name': 'sqlite' } }, { kind: 2 }));
    await edges.shutdown(1000);
    expect(found()).toEqual([]);
  });

  it('joins the calls of many batches into one row', async () => {
    const { edges, collector } = connector();
    for (const spanId of ['0000000000000001', '0000000000000002', '0000000000000003']) {
      await edges.consume(spanBatch({ ...client, spanId }, { ...server, parentSpanId: spanId }));
    }
    await edges.flush();
    expect(collector.rows).toMatchObject([{ source: 'web', target: 'api', count: 3 }]);
  });

  it('refuses a batch when there is no room for more rows and they can not be stored', async () => {
    const { edges, collector } = connector({ maxRowsAtOnce: 1 });
    collector.error = new Error('disk full');
    await expect(edges.consume(spanBatch(client, server))).rejects.toThrow('disk full');
  });

  it('tells of rows that can not be stored', async () => {
    const { edges, errors, collector } = connector();
    collector.error = new Error('disk full');
    await edges.consume(spanBatch({ ...client, attributes: { 'server.address': 'host' } }));
    await edges.shutdown(1000);
    expect(errors).toEqual([collector.error]);
  });

  it('bounds the targets of all sources together', async () => {
    const { edges, found } = connector({ maxTargets: 2 });
    const calls = ['a', 'b', 'c'].map((service) => ({
      ...client,
      service,
      attributes: { 'db.system': 'redis', 'server.address': 'cache' },
    }));
    await edges.consume(spanBatch(...calls));
    await edges.flush();
    expect(found()).toEqual(['a > cache redis:cache x1', 'b > cache redis:cache x1', 'c > cache (other) x1']);
  });

  it('hands on the rows of a batch in parts, none twice', async () => {
    const { edges, collector } = connector({ maxRowsAtOnce: 2 });
    const calls = Array.from({ length: 5 }, (_, i) => ({
      ...client,
      start: BigInt(i) * 10_000_000_000n,
      attributes: { 'db.system': 'redis' },
    }));
    await edges.consume(spanBatch(...calls));
    await edges.flush();
    expect(collector.sizes).toEqual([2, 2, 1]);
    expect(collector.rows.map(({ time }) => time)).toEqual([0, 10, 20, 30, 40]);
  });

  it("keeps other senders' calls when a sender is gone", async () => {
    const { edges, clock, found } = connector();
    await edges.consume(spanBatch({ ...client, attributes: { 'server.address': 'api.example' } }));
    clock.now = 60_000;
    // fanOut gives every consumer the signal.
    const consumer: Consumer<SpanBatch> = edges;
    await consumer.consume(spanBatch({ kind: 1 }), AbortSignal.abort());
    await edges.flush();
    expect(found()).toEqual(['web > external api.example x1']);
  });
});
