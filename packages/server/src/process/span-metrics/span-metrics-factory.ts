import type { ConnectorFactory } from '../../pipeline/component-factory.ts';
import { SpanMetricsConnector } from './span-metrics-connector.ts';
import { readSpanMetricsSettings } from './span-metrics-settings.ts';

/** `spanmetrics`: calls and durations of spans as metrics. */
export const spanMetricsFactory: ConnectorFactory = {
  kind: 'connector',
  type: 'spanmetrics',
  makes: { traces: ['metrics'] },
  configure(settings) {
    const spanMetrics = readSpanMetricsSettings(settings);
    return {
      create: (context, next) => {
        if (next.metrics === undefined) {
          throw new Error('bug: a connector that makes metrics leads to no pipeline of metrics');
        }
        return new SpanMetricsConnector(spanMetrics, context, next.metrics);
      },
    };
  },
};
