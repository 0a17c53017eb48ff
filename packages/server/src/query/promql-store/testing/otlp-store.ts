import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMetrics } from '@signalbox/otlp';
import { openStore } from '../../../store/open-store.ts';
import type { Store } from '../../../store/store.ts';
import type { QueryContext } from '../../query-context.ts';

/** A store that takes OTLP/JSON as a receiver would, of any time since 1970. */
export class OtlpStore {
  readonly store: Store;
  readonly #folder: string;

  static async open(): Promise<OtlpStore> {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-promql-'));
    const forever = 100 * 365 * 86_400_000;
    const store = await openStore({
      connection: { kind: 'embedded', folder },
      retention: { metricsMs: forever },
      retentionIntervalMs: 0,
    });
    return new OtlpStore(store, folder);
  }

  private constructor(store: Store, folder: string) {
    this.store = store;
    this.#folder = folder;
  }

  /** @param metrics of one resource and scope, as OTLP/JSON has them */
  async insert(
    resource: Readonly<Record<string, unknown>>,
    metrics: readonly object[],
    scope: object = {},
  ): Promise<void> {
    const attributes = keyValues(resource);
    const body = { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope, metrics }] }] };
    const { batch, rejected } = decodeMetrics(Buffer.from(JSON.stringify(body)), 'json');
    const result = await this.store.metrics.consume(batch);
    if (rejected !== null || result.rejected > 0) throw new Error(`Points were rejected: ${result.reason}`);
  }

  context(): QueryContext {
    const nowMs = Date.now();
    return {
      connection: this.store.connection,
      signal: new AbortController().signal,
      deadlineMs: nowMs + 30_000,
      nowMs,
    };
  }

  async close(): Promise<void> {
    await this.store.shutdown(2_000);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Attributes as OTLP/JSON has them: integers are int values, objects are AnyValues themselves. */
export function keyValues(attributes: Readonly<Record<string, unknown>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      return value;
  }
}
