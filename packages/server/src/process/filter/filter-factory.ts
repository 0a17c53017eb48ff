import type { SettingsMap, SettingText } from '../../config/settings-map.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { type BatchEdits, editingComponent } from '../editing-component.ts';
import { limitedWarnings } from '../limited-warnings.ts';
import { readMatcher } from '../match/match-settings.ts';
import {
  chosenBy,
  logMatcher,
  type Matcher,
  type MatchProperties,
  pointMatcher,
  spanMatcher,
} from '../match/record-matcher.ts';
import { checked } from '../ottl/checked.ts';
import type { OttlDialect } from '../ottl/compile.ts';
import { anyCondition } from '../ottl/conditions.ts';
import { DATAPOINT_DIALECT, LOG_DIALECT, METRIC_DIALECT, SPAN_DIALECT, SPAN_EVENT_DIALECT } from '../ottl/dialects.ts';
import { ERROR_MODES, type ErrorMode } from '../ottl/error-mode.ts';
import { inferConditionContext, type Signal } from '../ottl/infer-context.ts';
import { filterLogs, filterMetrics, filterSpans } from './filter-processor.ts';

/** Conditions by what they are about. */
interface Conditions {
  readonly span: readonly SettingText[];
  readonly event: readonly SettingText[];
  readonly metric: readonly SettingText[];
  readonly point: readonly SettingText[];
  readonly log: readonly SettingText[];
}

/** `filter`: drops spans, span events, metrics, points and log records for which a condition holds. */
export const filterFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'filter',
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const errorMode = settings.choice('error_mode', ERROR_MODES, 'propagate');
    const traces = settings.table('traces');
    const metrics = settings.table('metrics');
    const logs = settings.table('logs');
    const traceConditions = byContext(settings, 'trace_conditions', 'traces');
    const metricConditions = byContext(settings, 'metric_conditions', 'metrics');
    const logConditions = byContext(settings, 'log_conditions', 'logs');
    const conditions: Conditions = {
      span: [...traces.texts('span'), ...traceConditions.others],
      event: [...traces.texts('spanevent'), ...traceConditions.smallest],
      metric: [...metrics.texts('metric'), ...metricConditions.others],
      point: [...metrics.texts('datapoint'), ...metricConditions.smallest],
      log: [...logs.texts('log_record'), ...logConditions.others, ...logConditions.smallest],
    };
    const unmatched = {
      span: dropUnchosen(settings.table('spans'), spanMatcher),
      metric: dropUnchosen(metrics, pointMatcher),
      log: dropUnchosen(logs, logMatcher),
    };
    const edits = (warn: (message: string) => void): BatchEdits => {
      const drops = <Cursor>(dialect: OttlDialect<Cursor>, texts: readonly SettingText[]) =>
        dropsOf(dialect, texts, errorMode, warn);
      const span = either(drops(SPAN_DIALECT, conditions.span), unmatched.span);
      const event = drops(SPAN_EVENT_DIALECT, conditions.event);
      const metric = either(drops(METRIC_DIALECT, conditions.metric), unmatched.metric);
      const point = drops(DATAPOINT_DIALECT, conditions.point);
      const log = either(drops(LOG_DIALECT, conditions.log), unmatched.log);
      return {
        ...((span ?? event) !== null && { traces: filterSpans({ span, event }) }),
        ...((metric ?? point) !== null && { metrics: filterMetrics({ metric, point }) }),
        ...(log !== null && { logs: filterLogs(log) }),
      };
    };
    if (Object.keys(edits(() => {})).length === 0) {
      // A misspelt key is the likelier mistake.
      settings.finish();
      throw settings.failHere('has no condition to drop anything by');
    }
    return {
      // Events are removed in place; of the rest, batches of the rows that stay are made.
      mutatesData: conditions.event.length > 0,
      create: (context, next) => editingComponent(edits(limitedWarnings(context.log, context.now)), next),
    };
  },
};

/** Conditions whose paths tell what they are about: the smallest thing of the signal, or what it belongs to. */
function byContext(settings: SettingsMap, key: string, signal: Signal) {
  const texts = settings.texts(key);
  const isSmallest = (text: SettingText) => {
    const { context } = checked([text], () => inferConditionContext(signal, text.text));
    return context === 'spanevent' || context === 'datapoint' || context === 'log';
  };
  return { smallest: texts.filter(isSmallest), others: texts.filter((text) => !isSmallest(text)) };
}

function dropsOf<Cursor>(
  dialect: OttlDialect<Cursor>,
  texts: readonly SettingText[],
  errorMode: ErrorMode,
  warn: (message: string) => void,
): Matcher<Cursor> | null {
  return texts.length === 0
    ? null
    : checked(texts, () =>
        anyCondition(
          dialect,
          texts.map(({ text }) => text),
          errorMode,
          warn,
        ),
      );
}

/** True for what `include` does not match, or `exclude` does. */
function dropUnchosen<Cursor>(
  settings: SettingsMap,
  make: (properties: MatchProperties) => Matcher<Cursor>,
): Matcher<Cursor> | null {
  const chosen = chosenBy(
    readMatcher(settings.optionalTable('include'), make),
    readMatcher(settings.optionalTable('exclude'), make),
  );
  return chosen === null ? null : (cursor) => !chosen(cursor);
}

function either<Cursor>(a: Matcher<Cursor> | null, b: Matcher<Cursor> | null): Matcher<Cursor> | null {
  return a === null || b === null ? (a ?? b) : (cursor) => a(cursor) || b(cursor);
}
