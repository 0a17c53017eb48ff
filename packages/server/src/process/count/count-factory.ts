import type { SettingsMap, SettingText } from '../../config/settings-map.ts';
import type { ConnectorFactory } from '../../pipeline/component-factory.ts';
import { dimension } from '../dimensions.ts';
import { limitedWarnings } from '../limited-warnings.ts';
import { checked } from '../ottl/checked.ts';
import type { OttlDialect } from '../ottl/compile.ts';
import { anyCondition } from '../ottl/conditions.ts';
import { DATAPOINT_DIALECT, LOG_DIALECT, METRIC_DIALECT, SPAN_DIALECT, SPAN_EVENT_DIALECT } from '../ottl/dialects.ts';
import { settingAttribute } from '../setting-attribute.ts';
import { CountConnector, type CountedMetric, type CountSettings } from './count-connector.ts';

type Warn = (message: string) => void;

/** `count`: numbers of spans, events, metrics, points and log records as metrics. */
export const countFactory: ConnectorFactory = {
  kind: 'connector',
  type: 'count',
  makes: { traces: ['metrics'], metrics: ['metrics'], logs: ['metrics'] },
  configure(settings) {
    const spans = readCounted(settings, 'spans', SPAN_DIALECT, 'trace.span.count', 'spans');
    const spanEvents = readCounted(settings, 'spanevents', SPAN_EVENT_DIALECT, 'trace.span.event.count', 'span events');
    const metrics = readCounted(settings, 'metrics', METRIC_DIALECT, 'metric.count', 'metrics');
    const points = readCounted(settings, 'datapoints', DATAPOINT_DIALECT, 'metric.datapoint.count', 'data points');
    const logs = readCounted(settings, 'logs', LOG_DIALECT, 'log.record.count', 'log records');
    const make = (warn: Warn): CountSettings => ({
      spans: spans(warn),
      spanEvents: spanEvents(warn),
      metrics: metrics(warn),
      points: points(warn),
      logs: logs(warn),
    });
    make(() => {});
    return {
      create: (context, next) => {
        if (next.metrics === undefined) {
          throw new Error('bug: a connector that makes metrics leads to no pipeline of metrics');
        }
        return new CountConnector(make(limitedWarnings(context.log, context.now)), context, next.metrics);
      },
    };
  },
};

/** The metrics under `key`, or the one that counts everything when there are none. */
function readCounted<Cursor>(
  settings: SettingsMap,
  key: string,
  dialect: OttlDialect<Cursor>,
  defaultName: string,
  what: string,
): (warn: Warn) => CountedMetric<Cursor>[] {
  const described = [...settings.namedTables(key)].map(([name, metric]) => ({
    name,
    description: metric.string('description', ''),
    conditions: metric.texts('conditions'),
    dimensions: metric.tables('attributes').map((table) => {
      const fallback = table.value('default_value');
      return dimension(
        table.string('key'),
        fallback === undefined || fallback === null ? undefined : settingAttribute(fallback),
      );
    }),
  }));
  if (described.length === 0) {
    const description = `The number of ${what} observed.`;
    return () => [{ name: defaultName, description, condition: null, dimensions: [] }];
  }
  return (warn) =>
    described.map(({ name, description, conditions, dimensions }) => ({
      name,
      description,
      condition: conditionOf(dialect, conditions, warn),
      dimensions,
    }));
}

function conditionOf<Cursor>(dialect: OttlDialect<Cursor>, texts: readonly SettingText[], warn: Warn) {
  return texts.length === 0
    ? null
    : checked(texts, () =>
        anyCondition(
          dialect,
          texts.map(({ text }) => text),
          'ignore',
          warn,
        ),
      );
}
