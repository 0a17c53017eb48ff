import type { AnyBatch } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent } from '../../pipeline/component-factory.ts';
import type { Consumer } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { Counter } from '../../pipeline/telemetry.ts';
import type { Memory } from './process-memory.ts';

export interface MemoryLimits {
  /** Bytes above which records are refused. */
  readonly softBytes: number;
  /** Bytes above which garbage is collected at once, and records are refused. */
  readonly hardBytes: number;
  /** Pause between two looks, in milliseconds. */
  readonly checkIntervalMs: number;
}

/** Above the soft limit garbage is collected no more often than this, in milliseconds: it stops the program for a moment. */
const SOFT_COLLECT_INTERVAL_MS = 10_000;

/**
 * Refuses records, and asks senders to come back, while the program uses more memory than it should. It looks when records come, at
 * most once in `checkIntervalMs`.
 */
export class MemoryLimiter implements PipelineComponent {
  readonly consumers: Consumers;
  readonly #limits: MemoryLimits;
  readonly #memory: Memory;
  readonly #context: ComponentContext;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #collectedAt = Number.NEGATIVE_INFINITY;
  #refusing = false;

  constructor(limits: MemoryLimits, memory: Memory, context: ComponentContext, { traces, metrics, logs }: Consumers) {
    this.#limits = limits;
    this.#memory = memory;
    this.#context = context;
    this.consumers = {
      ...(traces && { traces: this.#guard(traces, 'spans') }),
      ...(metrics && { metrics: this.#guard(metrics, 'metric_points') }),
      ...(logs && { logs: this.#guard(logs, 'log_records') }),
    };
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #guard<Batch extends AnyBatch>(next: Consumer<Batch>, records: string): Consumer<Batch> {
    const { id, telemetry } = this.#context;
    const refused: Counter = telemetry.counter(
      `otelcol_processor_refused_${records}`,
      'Records refused because memory is short',
      { processor: id },
    );
    return {
      consume: (batch, abort) => {
        this.#check();
        if (!this.#refusing) return next.consume(batch, abort);
        refused.add(batch.rowCount);
        return Promise.reject(
          new SignalboxError('resource_exhausted', 'Memory is short, try again later', {
            retryAfterMs: this.#limits.checkIntervalMs,
          }),
        );
      },
    };
  }

  #check(): void {
    const now = this.#context.now();
    const { softBytes, hardBytes, checkIntervalMs } = this.#limits;
    if (now - this.#checkedAt < checkIntervalMs) return;
    this.#checkedAt = now;
    let used = this.#memory.usedBytes();
    // What is used may be garbage mostly; only a collection tells.
    if (used > hardBytes || (used > softBytes && now - this.#collectedAt >= SOFT_COLLECT_INTERVAL_MS)) {
      this.#memory.collect();
      this.#collectedAt = now;
      used = this.#memory.usedBytes();
    }
    const refusing = used > softBytes;
    if (refusing !== this.#refusing) {
      this.#refusing = refusing;
      const fields = { used_bytes: used, soft_limit_bytes: softBytes };
      if (refusing) this.#context.log.warn('Memory is short: records are refused until it is not', fields);
      else this.#context.log.info('There is memory again: records are taken', fields);
    }
  }
}
