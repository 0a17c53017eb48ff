import type { NotifiedAlert } from './notified-alert.ts';

/** What one receiver is told at once: the alerts of a group. It is kept as JSON while the receiver is away. */
export interface Notification {
  readonly receiver: string;
  readonly groupKey: string;
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly NotifiedAlert[];
  /** Base address of this program's page. */
  readonly externalUrl: string;
}

/** Labels (or annotations) that all of `texts` share. */
export function commonTexts(texts: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...rest] = texts;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => rest.every((other) => other[name] === value)),
  );
}

/** `[FIRING:2] HighLatency (shop)`: the one line that says what it is about. */
export function titleOf({ status, alerts, groupLabels }: Notification): string {
  const firing = alerts.filter((alert) => alert.status === 'firing').length;
  const common = commonTexts(alerts.map(({ labels }) => labels));
  const name = groupLabels.alertname ?? common.alertname ?? 'alerts';
  const others = Object.entries(groupLabels).flatMap(([label, value]) => (label === 'alertname' ? [] : [value]));
  const count = status === 'firing' ? `:${firing}` : '';
  return `[${status.toUpperCase()}${count}] ${name}${others.length > 0 ? ` (${others.join(' ')})` : ''}`;
}

/** What one alert says of itself, for people: its summary and description, or else its labels. */
export function describeAlert({ labels, annotations }: NotifiedAlert): string {
  const { summary = '', description = '' } = annotations;
  const text = [summary, description].filter((part) => part !== '').join('\n');
  return text === '' ? labelsText(labels) : text;
}

export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}
