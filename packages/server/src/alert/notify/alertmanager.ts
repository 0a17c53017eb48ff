import type { NotifiedAlert } from './notified-alert.ts';
import { fingerprint } from './notified-alert.ts';
import { Outbox, type OutboxItem } from './outbox.ts';
import { postJson } from './post-json.ts';

/** As many as Prometheus sends at once. */
const BATCH_SIZE = 64;

export interface AlertmanagerOptions {
  /** Base address, such as `http://localhost:9093`; a user and a password in it are sent as basic authentication. */
  readonly url: string;
  readonly outboxPath: string;
  readonly onError: (error: unknown) => void;
  readonly firstRetryMs?: number;
}

/**
 * Sends alerts to an Alertmanager through version 2 of its API
 * (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml). While it is away they wait: that an alert fired,
 * and that it ended, are both told when it is back.
 */
export class Alertmanager {
  readonly #outbox: Outbox;

  constructor({ url, outboxPath, onError, firstRetryMs }: AlertmanagerOptions) {
    const target = new URL(`${url.replace(/\/$/, '')}/api/v2/alerts`);
    this.#outbox = new Outbox({
      path: outboxPath,
      batchSize: BATCH_SIZE,
      onError: (error) =>
        onError(
          new Error(`Alertmanager ${target.host}: ${error instanceof Error ? error.message : error}`, { cause: error }),
        ),
      deliver: async (items, signal) => {
        for (const part of withoutRepeats(items))
          await postJson(
            target,
            part.map(({ body }) => body),
            {},
            signal,
          );
      },
      ...(firstRetryMs === undefined ? {} : { firstRetryMs }),
    });
  }

  get waiting(): number {
    return this.#outbox.waiting;
  }

  start(): void {
    this.#outbox.start();
  }

  send(alerts: readonly NotifiedAlert[]): void {
    this.#outbox.add(
      alerts.map(({ labels, annotations, status, startsAt, endsAt, generatorURL }) => ({
        key: fingerprint(labels),
        status,
        body: {
          labels,
          annotations,
          startsAt: new Date(startsAt).toISOString(),
          endsAt: new Date(endsAt).toISOString(),
          generatorURL,
        },
      })),
    );
  }

  async shutdown(): Promise<void> {
    await this.#outbox.shutdown();
  }
}

/** Parts in which no alert stands twice: of two in one request the receiver would see the last only. */
function withoutRepeats(items: readonly OutboxItem[]): OutboxItem[][] {
  const parts: OutboxItem[][] = [];
  let keys = new Set<string>();
  for (const item of items) {
    if (parts.length === 0 || keys.has(item.key)) {
      parts.push([]);
      keys = new Set();
    }
    parts.at(-1)?.push(item);
    keys.add(item.key);
  }
  return parts;
}
