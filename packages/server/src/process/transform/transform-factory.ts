import type { SettingsMap, SettingText } from '../../config/settings-map.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { type BatchEdits, editingComponent } from '../editing-component.ts';
import { limitedWarnings } from '../limited-warnings.ts';
import { checked } from '../ottl/checked.ts';
import type { ContextName } from '../ottl/contexts.ts';
import { ERROR_MODES, type ErrorMode } from '../ottl/error-mode.ts';
import { isListOfTexts } from '../setting-attribute.ts';
import type { StatementGroup } from './statement-group.ts';
import { transformLogs, transformMetrics, transformSpans } from './transform-processor.ts';

const CONTEXTS = {
  trace_statements: ['resource', 'scope', 'span', 'spanevent'],
  metric_statements: ['resource', 'scope', 'metric', 'datapoint'],
  log_statements: ['resource', 'scope', 'log'],
} as const satisfies Record<string, readonly ContextName[]>;

type StatementsKey = keyof typeof CONTEXTS;

/** `transform`: runs statements of OTTL on records. */
export const transformFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'transform',
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const errorMode = settings.choice('error_mode', ERROR_MODES, 'ignore');
    const texts: SettingText[] = [];
    const groupsOf = (key: StatementsKey) => readGroups(settings, key, errorMode, texts);
    const groups = {
      traces: groupsOf('trace_statements'),
      metrics: groupsOf('metric_statements'),
      logs: groupsOf('log_statements'),
    };
    const edits = (warn: (message: string) => void): BatchEdits => ({
      ...(groups.traces.length > 0 && { traces: transformSpans(groups.traces, warn) }),
      ...(groups.metrics.length > 0 && { metrics: transformMetrics(groups.metrics, warn) }),
      ...(groups.logs.length > 0 && { logs: transformLogs(groups.logs, warn) }),
    });
    if (Object.keys(checked(texts, () => edits(() => {}))).length === 0) {
      // A misspelt key is the likelier mistake.
      settings.finish();
      throw settings.failHere('has no statements (trace_statements, metric_statements, log_statements)');
    }
    return {
      mutatesData: true,
      create: (context, next) => editingComponent(edits(limitedWarnings(context.log, context.now)), next),
    };
  },
};

/** Statements one by one, or tables with a context, conditions and statements. Adds all texts read to `texts`. */
function readGroups(
  settings: SettingsMap,
  key: StatementsKey,
  errorMode: ErrorMode,
  texts: SettingText[],
): StatementGroup[] {
  const plain = (list: readonly SettingText[]) => {
    texts.push(...list);
    return list.map(({ text }) => text);
  };
  if (isListOfTexts(settings, key)) {
    const statements = plain(settings.texts(key));
    return statements.length === 0 ? [] : [{ context: null, conditions: [], statements, errorMode }];
  }
  return settings.tables(key).map((table) => ({
    context: table.choice<ContextName, null>('context', CONTEXTS[key], null),
    errorMode: table.choice('error_mode', ERROR_MODES, errorMode),
    conditions: plain(table.texts('conditions')),
    statements: plain(table.texts('statements')),
  }));
}
