import { ConfigError } from './config/config-error.ts';
import type { ExporterFactory } from './pipeline/component-factory.ts';
import { fanOut } from './pipeline/fan-out.ts';
import { SIGNALS } from './pipeline/signal.ts';
import { EdgeConnector } from './process/edges/edge-connector.ts';
import { RedConnector } from './process/red/red-connector.ts';
import { type LogTail, tailLogs } from './query/logs/log-tail.ts';
import type { Store } from './store/store.ts';

export const STORE_EXPORTER = 'clickhouse';

/**
 * `clickhouse`: the store as an exporter. What is counted (rate, errors, durations, calls between services) is counted from spans as
 * they were received, before processors sample or drop.
 *
 * @param opened gives the store and the tail of its logs when the graph is built; null when only the configuration is looked at
 */
export function storeExporterFactory(opened: () => { store: Store; logTail: LogTail } | null): ExporterFactory {
  let configured = 0;
  return {
    kind: 'exporter',
    type: STORE_EXPORTER,
    signals: SIGNALS,
    configure(settings) {
      for (const key of settings.keys()) {
        throw settings.fail(
          key,
          'the store takes its settings from lines of their own in this file: data, retention-traces, max-size, clickhouse-url …',
        );
      }
      if (++configured > 1) throw settings.failHere('there is one store; name it once');
      return {
        create(context) {
          const found = opened();
          if (found === null) throw new ConfigError('the store is not open');
          const { store, logTail } = found;
          const red = new RedConnector(store.red, {
            onError: (error) => context.log.error('Rate, errors and durations could not be stored', error),
          });
          const edges = new EdgeConnector(store.edges, {
            onError: (error) => context.log.error('Calls between services could not be stored', error),
          });
          return {
            consumers: { traces: store.spans, metrics: store.metrics, logs: tailLogs(store.logs, logTail) },
            asReceived: {
              traces: fanOut([
                { consumer: red, mutates: false },
                { consumer: edges, mutates: false },
              ]),
            },
            async start() {
              await red.start();
              await edges.start();
            },
            async shutdown(deadlineMs) {
              await Promise.all([red.shutdown(deadlineMs / 2), edges.shutdown(deadlineMs / 2)]);
            },
          };
        },
      };
    },
  };
}
