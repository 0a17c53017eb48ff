import type { Matcher } from './matcher.ts';

/** Who hears of alerts, and how they are put together: a part of Alertmanager's configuration. Durations in ms. */
export interface NotificationConfig {
  readonly route: Route;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly inhibitRules: readonly InhibitRule[];
}

/** A node of the tree that an alert goes down: its first child that matches takes it, further ones too when it says `continue`. */
export interface Route {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  /** Labels that alerts of one notification share; `all`: every alert is told of by itself. */
  readonly groupBy: readonly string[] | 'all';
  /** How long the first alert of a group waits for company. */
  readonly groupWaitMs: number;
  /** How long changes of a group that was told of wait. */
  readonly groupIntervalMs: number;
  /** After how long alerts that go on firing are told of again. */
  readonly repeatIntervalMs: number;
  readonly routes: readonly Route[];
}

export interface Receiver {
  readonly name: string;
  readonly webhooks: readonly WebhookConfig[];
  readonly slacks: readonly SlackConfig[];
  readonly emails: readonly EmailConfig[];
}

interface AnyReceiverConfig {
  /** Whether the end of an alert is told too. */
  readonly sendResolved: boolean;
}

/** Posts Alertmanager's JSON to an address. */
export interface WebhookConfig extends AnyReceiverConfig {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Alerts in one request; 0: all. */
  readonly maxAlerts: number;
}

/** Posts to an incoming webhook of Slack, or of what understands the same (Mattermost, Rocket.Chat, Discord's /slack). */
export interface SlackConfig extends AnyReceiverConfig {
  readonly url: URL;
  readonly channel: string;
  readonly username: string;
}

export interface EmailConfig extends AnyReceiverConfig {
  readonly to: string;
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly requireTls: boolean;
}

/** An alert that matches `target` is not told of as long as one that matches `source` fires with the same values of `equal`. */
export interface InhibitRule {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
}
