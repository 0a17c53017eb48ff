import { describeAlert, labelsText, type Notification, titleOf } from '../notification.ts';
import type { SlackConfig } from '../notification-config.ts';
import { postJson } from '../post-json.ts';

/** Slack cuts attachments beyond this. */
const MAX_TEXT_LENGTH = 7_000;

/** Posts to an incoming webhook with one attachment (https://api.slack.com/reference/messaging/attachments). */
export async function sendSlack(config: SlackConfig, notification: Notification, signal: AbortSignal): Promise<void> {
  const title = titleOf(notification);
  const text = notification.alerts
    .map(
      (alert) => `*${alert.status}* ${escapeSlack(describeAlert(alert))}\n\`${escapeSlack(labelsText(alert.labels))}\``,
    )
    .join('\n\n');
  const body = {
    ...(config.channel === '' ? {} : { channel: config.channel }),
    username: config.username,
    attachments: [
      {
        fallback: title,
        title,
        title_link: notification.externalUrl,
        text: text.slice(0, MAX_TEXT_LENGTH),
        color: notification.status === 'firing' ? 'danger' : 'good',
        mrkdwn_in: ['text'],
      },
    ],
  };
  await postJson(config.url, body, {}, signal);
}

/** The three characters with which Slack's markup (mentions of everybody among it) begins. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
