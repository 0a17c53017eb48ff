import { createHash } from 'node:crypto';
import { type Alert, labelsKey } from './alert.ts';
import type { RuleFile } from './rule-file.ts';
import { RuleGroup, type RuleGroupOptions } from './rule-group.ts';
import { loadRules, type SavedRule, saveRules } from './rule-state-file.ts';

/** An alert as receivers hear of it: firing, or resolved since `resolvedAt`. */
export interface AlertNotice {
  readonly alert: Readonly<Alert>;
  /** PromQL of its rule. */
  readonly expression: string;
}

export interface RuleManagerOptions extends RuleGroupOptions {
  /** Where alerts are kept over a restart. */
  readonly statePath: string;
  /** Tells receivers about alerts: each that begins or ends, and those that go on firing once in `resendMs`. */
  readonly notify: (notices: readonly AlertNotice[]) => void;
  /** How long an alert that goes on firing is not told again. */
  readonly resendMs: number;
  readonly onError: (error: unknown) => void;
}

/** Alerts that were pending longer ago than this are not taken up again after a restart. */
const OUTAGE_TOLERANCE_MS = 3_600_000;

interface RunningGroup {
  readonly group: RuleGroup;
  timer: NodeJS.Timeout | undefined;
  /** The evaluation under way. */
  evaluation: Promise<void>;
}

/**
 * Evaluates groups of rules, each at its own interval, and keeps the state of their alerts on disk: a restart in the middle of
 * an alert's `for` changes nothing, and no receiver hears of an alert twice for it.
 */
export class RuleManager {
  readonly #options: RuleManagerOptions;
  readonly #abort = new AbortController();
  #groups: RunningGroup[] = [];
  #saved: SavedRule[];
  #started = false;

  /** Throws when the state file can't be read. */
  constructor(options: RuleManagerOptions) {
    this.#options = options;
    this.#saved = loadRules(options.statePath);
  }

  get groups(): readonly RuleGroup[] {
    return this.#groups.map(({ group }) => group);
  }

  /**
   * Puts the groups of these files (by their paths) in place of those before. A group of the same file and name goes on where it
   * stood; the series of groups that are gone are marked as ended.
   */
  async load(files: ReadonlyMap<string, RuleFile>): Promise<void> {
    const before = this.#groups;
    this.#stopTimers();
    await Promise.all(before.map(({ evaluation }) => evaluation));
    this.#groups = Array.from(files).flatMap(([file, { groups }]) =>
      groups.map((definition) => {
        const group = new RuleGroup(file, definition, this.#options);
        const known = before.find(
          (other) => other.group.file === file && other.group.definition.name === definition.name,
        );
        if (known) group.takeOver(known.group);
        else this.#restore(group);
        return { group, timer: undefined, evaluation: Promise.resolve() };
      }),
    );
    const gone = before.filter(({ group }) => !this.groups.some((other) => isSameGroup(other, group)));
    for (const { group } of gone) await group.end(Date.now());
    if (this.#started) this.start();
  }

  start(): void {
    this.#started = true;
    for (const running of this.#groups) this.#schedule(running, nextEvaluation(running.group, Date.now()));
  }

  /** Resolves when no evaluation is under way and the state is on disk. */
  async shutdown(): Promise<void> {
    this.#started = false;
    this.#abort.abort();
    this.#stopTimers();
    await Promise.all(this.#groups.map(({ evaluation }) => evaluation));
    if (this.#groups.length > 0) this.#save();
  }

  #stopTimers(): void {
    for (const running of this.#groups) clearTimeout(running.timer);
  }

  #schedule(running: RunningGroup, timeMs: number): void {
    running.timer = setTimeout(
      () => {
        running.evaluation = this.#evaluate(running.group, timeMs).then(() => {
          if (!this.#started || !this.#groups.includes(running)) return;
          // Evaluations that would be late already are left out.
          const missed = Math.max(Math.floor((Date.now() - timeMs) / running.group.intervalMs), 0);
          this.#schedule(running, timeMs + Math.max(missed, 1) * running.group.intervalMs);
        });
      },
      Math.max(timeMs - Date.now(), 0),
    );
    running.timer.unref();
  }

  async #evaluate(group: RuleGroup, timeMs: number): Promise<void> {
    try {
      await group.evaluate(timeMs, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      const notices = this.#dueNotices(group, timeMs);
      if (notices.length > 0) this.#options.notify(notices);
      if (group.alertingRules.length > 0) this.#save();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #dueNotices(group: RuleGroup, timeMs: number): AlertNotice[] {
    const { resendMs } = this.#options;
    return group.alertingRules.flatMap((rule) =>
      rule.alerts.flatMap((alert) => {
        if (!needsTelling(alert, timeMs, resendMs)) return [];
        alert.lastSentAt = timeMs;
        // Two evaluations, or two tellings, may fail before receivers take the alert for resolved.
        alert.validUntil = timeMs + 4 * Math.max(group.intervalMs, resendMs);
        return [{ alert: { ...alert }, expression: rule.definition.expression }];
      }),
    );
  }

  #restore(group: RuleGroup): void {
    const now = Date.now();
    for (const rule of group.alertingRules) {
      const key = labelsKey(rule.definition.labels);
      const saved = this.#saved.find(
        (other) =>
          other.file === group.file &&
          other.group === group.definition.name &&
          other.rule === rule.definition.name &&
          other.labels === key,
      );
      if (!saved) continue;
      const isRecent = now - saved.lastEvaluation <= OUTAGE_TOLERANCE_MS;
      group.restore(
        rule,
        saved.alerts.filter((alert) => isRecent || alert.state !== 'pending'),
      );
    }
  }

  #save(): void {
    this.#saved = this.#groups.flatMap(({ group }) =>
      group.alertingRules.map((rule) => ({
        file: group.file,
        group: group.definition.name,
        rule: rule.definition.name,
        labels: labelsKey(rule.definition.labels),
        lastEvaluation: group.lastEvaluation || Date.now(),
        alerts: rule.alerts,
      })),
    );
    saveRules(this.#options.statePath, this.#saved);
  }
}

function needsTelling(alert: Alert, timeMs: number, resendMs: number): boolean {
  if (alert.state === 'pending') return false;
  if (alert.lastSentAt === undefined) return alert.state === 'firing';
  if (alert.resolvedAt !== undefined && alert.resolvedAt > alert.lastSentAt) return true;
  return alert.lastSentAt + resendMs <= timeMs;
}

/** The next time that is the group's: groups are spread over their interval, and keep their places over a restart. */
export function nextEvaluation({ file, definition, intervalMs }: RuleGroup, nowMs: number): number {
  const digest = createHash('sha256').update(`${file}\0${definition.name}`).digest();
  const offset = digest.readUInt32LE(0) % intervalMs;
  return Math.floor((nowMs - offset) / intervalMs) * intervalMs + offset + intervalMs;
}

function isSameGroup(a: RuleGroup, b: RuleGroup): boolean {
  return a.file === b.file && a.definition.name === b.definition.name;
}
