import { createHash } from 'node:crypto';
import { commonTexts, type Notification } from '../notification.ts';
import type { WebhookConfig } from '../notification-config.ts';
import { fingerprint } from '../notified-alert.ts';
import { postJson } from '../post-json.ts';

/** Go's zero time stands for "not known" in Alertmanager's JSON: a firing alert has no end. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** Posts version 4 of Alertmanager's webhook (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). */
export async function sendWebhook(
  config: WebhookConfig,
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  const { receiver, status, groupKey, groupLabels, externalUrl } = notification;
  const alerts = config.maxAlerts > 0 ? notification.alerts.slice(0, config.maxAlerts) : notification.alerts;
  const body = {
    version: '4',
    groupKey,
    truncatedAlerts: notification.alerts.length - alerts.length,
    status,
    receiver,
    groupLabels,
    commonLabels: commonTexts(notification.alerts.map(({ labels }) => labels)),
    commonAnnotations: commonTexts(notification.alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    alerts: alerts.map((alert) => ({
      status: alert.status,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.startsAt).toISOString(),
      endsAt: alert.status === 'resolved' ? new Date(alert.endsAt).toISOString() : NO_TIME,
      generatorURL: alert.generatorURL,
      fingerprint: createHash('sha256').update(fingerprint(alert.labels)).digest('hex').slice(0, 16),
    })),
  };
  await postJson(config.url, body, config.headers, signal);
}
