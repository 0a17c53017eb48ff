import type { ConnectorFactory } from '../../pipeline/component-factory.ts';
import { ServiceGraphConnector, type ServiceGraphSettings } from './service-graph-connector.ts';

const DEFAULT_BUCKETS = '2ms 4ms 6ms 8ms 10ms 50ms 100ms 200ms 400ms 800ms 1s 1400ms 2s 5s 10s 15s'.split(' ');

/** `servicegraph`: requests between services as metrics. */
export const serviceGraphFactory: ConnectorFactory = {
  kind: 'connector',
  type: 'servicegraph',
  makes: { traces: ['metrics'] },
  configure(settings) {
    const store = settings.table('store');
    const buckets = settings.durations('latency_histogram_buckets', DEFAULT_BUCKETS);
    if (buckets.some((bucket, i) => i > 0 && bucket <= (buckets[i - 1] as number))) {
      throw settings.fail('latency_histogram_buckets', 'must ascend');
    }
    // Upstream's interval for removing stale series; here it happens with each flush.
    settings.duration('cache_loop', '1m');
    const serviceGraph: ServiceGraphSettings = {
      bounds: buckets.map((bucket) => bucket / 1000),
      dimensions: settings.strings('dimensions'),
      peerAttributes: settings.strings('virtual_node_peer_attributes', ['peer.service', 'db.name', 'db.system']),
      databaseAttributes: [
        ...settings.strings('database_name_attributes', ['db.name']),
        ...(settings.has('database_name_attribute') ? [settings.string('database_name_attribute')] : []),
      ],
      labelVirtualNodes: settings.boolean('virtual_node_extra_label', false),
      ttlMs: store.duration('ttl', '2s'),
      maxItems: store.integer('max_items', 1000, { min: 1 }),
      expirationLoopMs: Math.max(settings.duration('store_expiration_loop', '2s'), 10),
      flushIntervalMs: settings.duration('metrics_flush_interval', '60s'),
    };
    return {
      create: (context, next) => {
        if (next.metrics === undefined) {
          throw new Error('bug: a connector that makes metrics leads to no pipeline of metrics');
        }
        return new ServiceGraphConnector(serviceGraph, context, next.metrics);
      },
    };
  },
};
