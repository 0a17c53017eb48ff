import { setTimeout as sleep } from 'node:timers/promises';
import { ProtocolDecodeError } from '@signalbox/protocols';
import { copyBatch, type MetricBatch } from '@signalbox/records';
import type { Component, ListeningAddress } from '../../pipeline/component.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ReceiverFactory } from '../../pipeline/component-factory.ts';
import type { Consumer } from '../../pipeline/consumer.ts';
import { toSignalboxError } from '../../pipeline/signalbox-error.ts';
import type { Counter } from '../../pipeline/telemetry.ts';
import { StatsdAggregation } from './statsd-aggregation.ts';
import { readStatsdSettings, type StatsdSettings } from './statsd-settings.ts';
import { openStatsdSocket, type StatsdSocket } from './statsd-sockets.ts';

/** `statsd`: adds up what clients of statsd and DogStatsD send, and hands it on every interval. */
export const statsdReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'statsd',
  signals: ['metrics'],
  configure(settings) {
    const read = readStatsdSettings(settings);
    return {
      create(context, next) {
        const { metrics } = next;
        if (metrics === undefined) throw new TypeError('the receiver statsd stands in a pipeline of metrics');
        return new StatsdReceiver(read, context, metrics);
      },
    };
  },
};

/** Between tries to hand on what was refused for now. */
const RETRY_MS = 1_000;
/** How often the log tells of lines that were refused. */
const WARN_EVERY_MS = 60_000;

type Refusal = 'malformed' | 'disabled' | 'full' | 'too_long';

class StatsdReceiver implements Component {
  readonly #settings: StatsdSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumer<MetricBatch>;
  readonly #aggregation: StatsdAggregation;
  readonly #taken: Counter;
  readonly #refused: Readonly<Record<Refusal, Counter>>;
  readonly #stopping = new AbortController();
  #socket: StatsdSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** What is being handed on, until it is. One at a time: meanwhile the next interval grows longer. */
  #handing: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: StatsdSettings, context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    this.#aggregation = new StatsdAggregation(settings.aggregation, context.now());
    const { telemetry, id: receiver } = context;
    this.#taken = telemetry.counter('otelcol_receiver_received_statsd_metrics', 'Lines of statsd that were added up', {
      receiver,
    });
    const refused = (reason: Refusal) =>
      telemetry.counter('signalbox_statsd_refused_lines', 'Lines of statsd that were not added up', {
        receiver,
        reason,
      });
    this.#refused = {
      malformed: refused('malformed'),
      disabled: refused('disabled'),
      full: refused('full'),
      too_long: refused('too_long'),
    };
    telemetry.gauge('signalbox_statsd_series', 'Series of the interval so far', () => this.#aggregation.seriesCount, {
      receiver,
    });
  }

  get addresses(): readonly ListeningAddress[] {
    return this.#socket === null ? [] : [this.#socket.address];
  }

  async start(): Promise<void> {
    const { log, id } = this.#context;
    this.#socket = await openStatsdSocket({
      settings: this.#settings,
      place: `endpoint of receiver ${id}`,
      onLine: (line, address, port) => this.#take(line, address, port),
      onTooLong: () => this.#refuse('too_long', 'a line is longer than 65527 bytes'),
      onError: (error) => log.debug('A socket failed', { error: error.message }),
    });
    this.#timer = setInterval(() => this.#flush(), this.#settings.intervalMs);
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#socket?.close();
    this.#stopping.abort();
    const last = async () => {
      await this.#handing;
      this.#flush();
      await this.#handing;
    };
    await Promise.race([last(), sleep(deadlineMs, undefined, { ref: false })]);
  }

  #take(line: string, address: string, port: number): void {
    const { sender } = this.#settings;
    const from = sender === 'all' ? '' : sender === 'address' ? address : `${address}:${port}`;
    try {
      let outcome = this.#aggregation.add(line, from, this.#context.now());
      if (outcome === 'full' && this.#handing === null) {
        // The interval ends early rather than to lose something.
        this.#flush();
        outcome = this.#aggregation.add(line, from, this.#context.now());
      }
      if (outcome === 'held') this.#taken.add(1);
      else if (outcome === 'disabled') this.#refused.disabled.add(1);
      else this.#refuse('full', 'there is no room before the last interval is handed on');
    } catch (error) {
      if (!(error instanceof ProtocolDecodeError)) throw error;
      this.#refuse('malformed', error.message);
    }
  }

  #refuse(reason: Refusal, message: string): void {
    this.#refused[reason].add(1);
    const now = this.#context.now();
    if (now < this.#warnedAt + WARN_EVERY_MS) return;
    this.#warnedAt = now;
    this.#context.log.warn('A line of statsd was refused; signalbox_statsd_refused_lines counts them', {
      reason: message,
    });
  }

  /** Ends the interval, unless the one before is not handed on yet. */
  #flush(): void {
    if (this.#handing !== null) return;
    const batch = this.#aggregation.take(this.#context.now());
    if (batch === null) return;
    this.#handing = this.#handOn(batch).finally(() => {
      this.#handing = null;
    });
  }

  /** Nobody could send it again: it is tried until it is taken, refused for good, or the program stops. Never rejects. */
  async #handOn(batch: MetricBatch): Promise<void> {
    const { log } = this.#context;
    const points = batch.rowCount;
    for (;;) {
      const last = this.#stopping.signal.aborted;
      try {
        // Whoever takes it may change it.
        const { rejected, reason } = await this.#next.consume(copyBatch(batch));
        if (rejected > 0) log.warn('Points of statsd were refused for good', { points: rejected, reason });
        return;
      } catch (error) {
        const refusal = toSignalboxError(error);
        if (!refusal.retryable || last) {
          log.error('Points of statsd were lost', error, { points });
          return;
        }
        log.debug('Points of statsd are tried again', { points, error: refusal.message });
        await sleep(refusal.retryAfterMs ?? RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
  }
}
