import { readJsonFile, writeJsonFile } from '../json-file.ts';
import type { Notification } from './notification.ts';
import type { NotificationConfig, Route } from './notification-config.ts';
import { fingerprint, type NotifiedAlert } from './notified-alert.ts';
import { groupsOf } from './route-alert.ts';
import type { Silences } from './silences.ts';

export interface DispatcherOptions {
  readonly config: NotificationConfig;
  readonly silences: Silences;
  readonly externalUrl: string;
  /** Where groups are kept over a restart. */
  readonly path: string;
  /** Takes a notification; when it returns, the notification is on disk or delivered. */
  readonly send: (notification: Notification) => void;
  readonly onError: (error: unknown) => void;
  readonly now?: () => number;
}

interface AlertGroup {
  readonly key: string;
  readonly receiver: string;
  readonly labels: Readonly<Record<string, string>>;
  /** By fingerprint. */
  readonly alerts: Map<string, NotifiedAlert>;
  /** When it is looked at next, in ms since 1970. */
  flushAt: number;
  /** When its receiver was told last, and of which alerts with which status. */
  toldAt: number;
  told: Map<string, NotifiedAlert['status']>;
}

type SavedGroup = Omit<AlertGroup, 'alerts' | 'told'> & {
  alerts: [string, NotifiedAlert][];
  told: [string, NotifiedAlert['status']][];
};

/**
 * Puts alerts into groups, and tells receivers of a group when there is news of it (after `group_wait` at first, then once in
 * `group_interval`), and again once in `repeat_interval` as long as it fires. Silenced and inhibited alerts are left out. For
 * those who run no Alertmanager; the words are its own.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #now: () => number;
  readonly #groups = new Map<string, AlertGroup>();
  #timer: NodeJS.Timeout | undefined;

  /** Throws when the file can't be read. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    for (const group of (readJsonFile(options.path) as SavedGroup[] | undefined) ?? []) {
      this.#groups.set(group.key, { ...group, alerts: new Map(group.alerts), told: new Map(group.told) });
    }
  }

  start(): void {
    this.#schedule();
  }

  /** When it returns the alerts are on disk. */
  take(alerts: readonly NotifiedAlert[]): void {
    const now = this.#now();
    for (const alert of alerts) {
      for (const { key, route, labels } of groupsOf(this.#options.config.route, alert.labels)) {
        let group = this.#groups.get(key);
        if (!group) {
          if (alert.status === 'resolved') continue; // nobody was told that it fired
          const { receiver } = route;
          group = {
            key,
            receiver,
            labels,
            alerts: new Map(),
            flushAt: now + route.groupWaitMs,
            toldAt: 0,
            told: new Map(),
          };
          this.#groups.set(key, group);
        }
        group.alerts.set(fingerprint(alert.labels), alert);
      }
    }
    this.#save();
    this.#schedule();
  }

  /** Stops looking at groups; they are on disk. */
  shutdown(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const next = Math.min(...Array.from(this.#groups.values(), ({ flushAt }) => flushAt));
    if (!Number.isFinite(next)) return;
    // Looked at once in a minute at least, so that a clock that is set does not matter.
    this.#timer = setTimeout(() => this.#flushDue(), Math.min(Math.max(next - this.#now(), 0), 60_000)).unref();
  }

  #flushDue(): void {
    const now = this.#now();
    try {
      for (const group of [...this.#groups.values()]) if (group.flushAt <= now) this.#flush(group, now);
      this.#save();
    } catch (error) {
      this.#options.onError(error);
    }
    this.#schedule();
  }

  #flush(group: AlertGroup, now: number): void {
    const route = findRoute(this.#options.config.route, group.key);
    if (!route) {
      this.#groups.delete(group.key); // of an earlier configuration
      return;
    }
    group.flushAt = now + route.groupIntervalMs;
    for (const [key, alert] of group.alerts) {
      // Nobody has spoken of it for long: its rule is gone, or this program was away.
      if (alert.status === 'firing' && alert.endsAt <= now)
        group.alerts.set(key, { ...alert, status: 'resolved', endsAt: now });
    }
    const alerts = Array.from(group.alerts).filter(([, { labels }]) => !this.#isMuted(labels, now));
    const firing = alerts.filter(([, { status }]) => status === 'firing');
    // The end of an alert of which nobody was told is no news.
    const resolved = alerts.filter(([key, { status }]) => status === 'resolved' && group.told.get(key) === 'firing');
    const hasNews = resolved.length > 0 || firing.some(([key]) => group.told.get(key) !== 'firing');
    if (hasNews || (firing.length > 0 && now - group.toldAt >= route.repeatIntervalMs)) {
      const told = [...firing, ...resolved];
      this.#options.send({
        receiver: group.receiver,
        groupKey: group.key,
        status: firing.length > 0 ? 'firing' : 'resolved',
        groupLabels: group.labels,
        alerts: told.map(([, alert]) => alert),
        externalUrl: this.#options.externalUrl,
      });
      group.toldAt = now;
      for (const [key, { status }] of told) group.told.set(key, status);
    }
    for (const [key, { status }] of group.alerts) {
      if (status !== 'resolved' || group.told.get(key) === 'firing') continue;
      group.alerts.delete(key);
      group.told.delete(key);
    }
    if (group.alerts.size === 0) this.#groups.delete(group.key);
  }

  #isMuted(labels: Readonly<Record<string, string>>, now: number): boolean {
    if (this.#options.silences.silencing(labels, now).length > 0) return true;
    return this.#options.config.inhibitRules.some(({ source, target, equal }) => {
      if (!target.every((matcher) => matcher.matches(labels))) return false;
      // An alert that matches both sides does not inhibit itself.
      const isSource = source.every((matcher) => matcher.matches(labels));
      return [...this.#groups.values()].some(({ alerts }) =>
        [...alerts.values()].some(
          (other) =>
            other.status === 'firing' &&
            source.every((matcher) => matcher.matches(other.labels)) &&
            equal.every((name) => (other.labels[name] ?? '') === (labels[name] ?? '')) &&
            !(isSource && target.every((matcher) => matcher.matches(other.labels))),
        ),
      );
    });
  }

  #save(): void {
    writeJsonFile(
      this.#options.path,
      Array.from(this.#groups.values(), (group) => ({ ...group, alerts: [...group.alerts], told: [...group.told] })),
    );
  }
}

/** The route of a group by its key, which begins with the route's own. */
function findRoute(root: Route, key: string): Route | undefined {
  const visit = (route: Route, path: string): Route | undefined => {
    if (key.startsWith(`${path}:`)) return route;
    for (const [index, child] of route.routes.entries()) {
      const found = visit(child, `${path}/${index}`);
      if (found) return found;
    }
    return undefined;
  };
  return visit(root, '{}');
}
