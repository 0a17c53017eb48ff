import type { SettingsMap } from '../config/settings-map.ts';

export interface RetrySettings {
  /** First pause, in milliseconds. */
  readonly initialMs: number;
  /** Longest pause, in milliseconds. */
  readonly maxMs: number;
  readonly multiplier: number;
  /** 0.5: a pause is between half and one and a half of itself, so that senders do not come back all at once. */
  readonly randomization: number;
  /** Milliseconds after which records are given up; 0: never. */
  readonly maxElapsedMs: number;
}

export interface QueueSettings {
  /** Requests under way at once. */
  readonly consumers: number;
  /** Limit in `sizer`'s unit. */
  readonly size: number;
  readonly sizer: 'requests' | 'items' | 'bytes';
  /** Limit on disk or in memory, in bytes, whatever `sizer` says. */
  readonly maxBytes: number;
  /** Wait for room rather than refuse. */
  readonly block: boolean;
  /** On disk, synced before it is acknowledged. */
  readonly durable: boolean;
}

export interface SendSettings {
  /** Of one attempt, in milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** null: one attempt. */
  readonly retry: RetrySettings | null;
  /** null: whoever sends waits for the destination's answer. */
  readonly queue: QueueSettings | null;
}

/** Reads `timeout`, `retry_on_failure` and `sending_queue`, which all exporters that send share. */
export function readSendSettings(settings: SettingsMap, defaults: { readonly timeout: string }): SendSettings {
  return {
    timeoutMs: settings.duration('timeout', defaults.timeout),
    retry: readRetry(settings.table('retry_on_failure')),
    queue: readQueue(settings.table('sending_queue')),
  };
}

function readRetry(settings: SettingsMap): RetrySettings | null {
  const enabled = settings.boolean('enabled', true);
  const retry = {
    initialMs: settings.duration('initial_interval', '5s'),
    randomization: settings.number('randomization_factor', 0.5, { min: 0, max: 1 }),
    multiplier: settings.number('multiplier', 1.5, { min: 1 }),
    maxMs: settings.duration('max_interval', '30s'),
    // The Collector's default is five minutes; what was acknowledged is not given up here unless the user says so.
    maxElapsedMs: settings.duration('max_elapsed_time', '0s'),
  };
  return enabled ? retry : null;
}

function readQueue(settings: SettingsMap): QueueSettings | null {
  const enabled = settings.boolean('enabled', true);
  const sizer = settings.choice('sizer', ['requests', 'items', 'bytes'], 'requests');
  const queue = {
    consumers: settings.integer('num_consumers', 10, { min: 1, max: 1_000 }),
    sizer,
    size: settings.integer('queue_size', sizer === 'requests' ? 10_000 : 100_000_000, { min: 1 }),
    maxBytes: settings.size('max_size', '512MiB'),
    block: settings.boolean('block_on_overflow', false),
    durable: settings.boolean('durable', true),
  };
  // The Collector's way to say "on disk", which is where the queue is anyway.
  settings.string('storage', null);
  return enabled ? queue : null;
}
