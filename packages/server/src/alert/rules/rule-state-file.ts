import { readJsonFile, writeJsonFile } from '../json-file.ts';
import type { Alert } from './alert.ts';

/** What survives a restart of the alerts of one rule. Rules have no other state than their samples, which are in the store. */
export interface SavedRule {
  readonly file: string;
  readonly group: string;
  readonly rule: string;
  /** Key of the rule's own labels: a group may have several alerts of one name. */
  readonly labels: string;
  /** Last evaluation, in ms since 1970. */
  readonly lastEvaluation: number;
  readonly alerts: readonly Alert[];
}

/** JSON leaves out what is undefined. */
type JsonAlert = Partial<Omit<Alert, 'labels' | 'annotations'>> &
  Pick<Alert, 'state' | 'value' | 'activeAt'> & {
    labels: Record<string, string>;
    annotations: Record<string, string>;
  };

const VERSION = 1;

export function saveRules(path: string, rules: readonly SavedRule[]): void {
  const alerts = (rule: SavedRule) =>
    rule.alerts.map((alert) => ({
      ...alert,
      labels: Object.fromEntries(alert.labels),
      annotations: Object.fromEntries(alert.annotations),
    }));
  writeJsonFile(path, { version: VERSION, rules: rules.map((rule) => ({ ...rule, alerts: alerts(rule) })) });
}

/** Throws when the file is not one that `saveRules` wrote. */
export function loadRules(path: string): SavedRule[] {
  const content = readJsonFile(path) as
    | { version: number; rules: (Omit<SavedRule, 'alerts'> & { alerts: JsonAlert[] })[] }
    | undefined;
  if (content === undefined) return [];
  if (content.version !== VERSION) throw new Error(`${path} was written by another version of Signalbox`);
  return content.rules.map((rule) => ({
    ...rule,
    alerts: rule.alerts.map((alert) => ({
      firedAt: undefined,
      resolvedAt: undefined,
      keepFiringSince: undefined,
      lastSentAt: undefined,
      validUntil: undefined,
      ...alert,
      labels: new Map(Object.entries(alert.labels)),
      annotations: new Map(Object.entries(alert.annotations)),
    })),
  }));
}
