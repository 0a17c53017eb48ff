import { createTransport } from 'nodemailer';
import { describeAlert, labelsText, type Notification, titleOf } from '../notification.ts';
import type { EmailConfig } from '../notification-config.ts';

const TIMEOUT_MS = 10_000;

/** Sends one message of plain text. Port 465 speaks TLS from the start, others by STARTTLS, which `requireTls` insists on. */
export async function sendEmail(config: EmailConfig, notification: Notification): Promise<void> {
  const transport = createTransport({
    host: config.host,
    port: config.port,
    secure: config.port === 465,
    requireTLS: config.requireTls,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(config.username === '' ? {} : { auth: { user: config.username, pass: config.password } }),
  });
  try {
    await transport.sendMail({
      from: config.from,
      to: config.to,
      subject: titleOf(notification),
      text: textOf(notification),
    });
  } finally {
    transport.close();
  }
}

function textOf({ alerts, externalUrl }: Notification): string {
  const parts = alerts.map((alert) => {
    const since = `${alert.status === 'firing' ? 'Since' : 'From'} ${new Date(alert.startsAt).toISOString()}`;
    const until = alert.status === 'resolved' ? ` to ${new Date(alert.endsAt).toISOString()}` : '';
    return [
      `${alert.status.toUpperCase()}: ${describeAlert(alert)}`,
      labelsText(alert.labels),
      `${since}${until}`,
      alert.generatorURL,
    ].join('\n');
  });
  return `${parts.join('\n\n')}\n\n-- \nSignalbox, ${externalUrl}\n`;
}
