import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertNotice } from '../rules/rule-manager.ts';
import { Alertmanager } from './alertmanager.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Notification } from './notification.ts';
import type { NotificationConfig, Receiver } from './notification-config.ts';
import type { NotifiedAlert } from './notified-alert.ts';
import { Outbox } from './outbox.ts';
import { sendEmail } from './receivers/send-email.ts';
import { sendSlack } from './receivers/send-slack.ts';
import { sendWebhook } from './receivers/send-webhook.ts';
import { Silences } from './silences.ts';

export interface NotifierOptions {
  /** Folder for what must survive a restart. It is made when it is not there. */
  readonly folder: string;
  readonly alertmanagerUrls: readonly string[];
  /** Whom to tell without an Alertmanager; undefined: nobody. */
  readonly config: NotificationConfig | undefined;
  /** Labels that every alert gets when it does not have them. */
  readonly externalLabels: ReadonlyMap<string, string>;
  readonly externalUrl: URL;
  readonly onError: (error: unknown) => void;
}

type Send = (notification: Notification, signal: AbortSignal) => Promise<void>;

/** Tells the Alertmanagers, and the receivers of our own configuration, about alerts. Nothing that it was told is lost by a restart. */
export class Notifier {
  readonly silences: Silences;
  readonly #options: NotifierOptions;
  readonly #alertmanagers: readonly Alertmanager[];
  readonly #channels: ReadonlyMap<string, readonly { readonly sendResolved: boolean; readonly outbox: Outbox }[]>;
  readonly #dispatcher: Dispatcher | undefined;

  /** Throws when a file of an earlier life can't be read. */
  constructor(options: NotifierOptions) {
    this.#options = options;
    const { folder, config, externalUrl, onError } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.silences = new Silences(join(folder, 'silences.json'));
    this.#alertmanagers = options.alertmanagerUrls.map(
      (url, index) => new Alertmanager({ url, outboxPath: join(folder, `alertmanager-${index}.json`), onError }),
    );
    this.#channels = new Map(
      Array.from(config?.receivers.values() ?? [], (receiver) => [receiver.name, this.#channelsOf(receiver)]),
    );
    this.#dispatcher =
      config &&
      new Dispatcher({
        config,
        silences: this.silences,
        externalUrl: externalUrl.href,
        path: join(folder, 'groups.json'),
        send: (notification) => this.#send(notification),
        onError,
      });
  }

  /** Whether anybody is told. */
  get hasReceivers(): boolean {
    return this.#alertmanagers.length > 0 || this.#dispatcher !== undefined;
  }

  start(): void {
    for (const alertmanager of this.#alertmanagers) alertmanager.start();
    for (const { outbox } of this.#outboxes()) outbox.start();
    this.#dispatcher?.start();
  }

  /** When it returns the alerts are on disk. */
  tell(notices: readonly AlertNotice[]): void {
    const alerts = notices.map((notice) => this.#notifiedAlert(notice));
    for (const alertmanager of this.#alertmanagers) alertmanager.send(alerts);
    this.#dispatcher?.take(alerts);
  }

  async shutdown(): Promise<void> {
    this.#dispatcher?.shutdown();
    await Promise.all([
      ...this.#alertmanagers.map((alertmanager) => alertmanager.shutdown()),
      ...this.#outboxes().map(({ outbox }) => outbox.shutdown()),
    ]);
  }

  #notifiedAlert({ alert, expression }: AlertNotice): NotifiedAlert {
    const { externalLabels, externalUrl } = this.#options;
    const generator = new URL('api/v1/query', externalUrl.href.endsWith('/') ? externalUrl : `${externalUrl.href}/`);
    generator.searchParams.set('query', expression);
    return {
      labels: Object.fromEntries([...externalLabels, ...alert.labels]),
      annotations: Object.fromEntries(alert.annotations),
      status: alert.resolvedAt === undefined ? 'firing' : 'resolved',
      startsAt: alert.firedAt ?? alert.activeAt,
      endsAt: alert.resolvedAt ?? alert.validUntil ?? alert.activeAt,
      generatorURL: generator.href,
    };
  }

  #send(notification: Notification): void {
    for (const { sendResolved, outbox } of this.#channels.get(notification.receiver) ?? []) {
      const alerts = sendResolved
        ? notification.alerts
        : notification.alerts.filter(({ status }) => status === 'firing');
      if (alerts.length === 0) continue;
      const body = { ...notification, alerts };
      outbox.add([
        {
          key: notification.groupKey,
          status: JSON.stringify(alerts.map(({ labels, status }) => [labels, status])),
          body,
        },
      ]);
    }
  }

  #channelsOf(receiver: Receiver) {
    const channel = (kind: string, index: number, sendResolved: boolean, send: Send) => ({
      sendResolved,
      outbox: new Outbox({
        path: join(this.#options.folder, `${kind}-${index}-${encodeURIComponent(receiver.name).slice(0, 100)}.json`),
        batchSize: 1,
        onError: (error) => {
          const reason = error instanceof Error ? error.message : String(error);
          this.#options.onError(
            new Error(`Receiver "${receiver.name}", ${kind} ${index + 1}: ${reason}`, { cause: error }),
          );
        },
        deliver: async ([item], signal) => await send(item?.body as Notification, signal),
      }),
    });
    return [
      ...receiver.webhooks.map((config, index) =>
        channel('webhook', index, config.sendResolved, (notification, signal) =>
          sendWebhook(config, notification, signal),
        ),
      ),
      ...receiver.slacks.map((config, index) =>
        channel('slack', index, config.sendResolved, (notification, signal) => sendSlack(config, notification, signal)),
      ),
      ...receiver.emails.map((config, index) =>
        channel('email', index, config.sendResolved, (notification) => sendEmail(config, notification)),
      ),
    ];
  }

  #outboxes() {
    return [...this.#channels.values()].flat();
  }
}
