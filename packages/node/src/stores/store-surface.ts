import { context, SpanKind, trace } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { prometheusBoundaries } from '../surfaces/duration-boundaries.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';

export type StoreResult = 'ok' | 'not_found' | 'error';

export interface StoreOperation {
  readonly namespace: string;
  /** `get`, `put` and the like. */
  readonly op: string;
  /** Where the store is, for the spans. */
  readonly node: string;
  /** Undefined where keys are not to be recorded. */
  readonly key: string | undefined;
  /** Judges how it ended; may throw. */
  readonly outcomeOf: (failure: Failure | undefined, answer: unknown) => StoreOutcome;
}

export interface StoreOutcome {
  readonly result: StoreResult;
  /** Whether something was found; undefined for operations that look for nothing. */
  readonly found?: boolean;
}

/**
 * Stores that the application wraps. Span: `kv.{op}`. Metrics: `kv_ops_total` and `kv_op_duration_seconds` by `namespace`, `op`
 * and `result`; `cache.hits` by `tier` and `cache.misses`.
 */
export const storeSurface = defineSurface('kv', (instrumentation) => new StoreRecorder(instrumentation));

class StoreRecorder {
  readonly begin: (operation: () => StoreOperation) => Operation | undefined;
  readonly lookup: (tier: string | undefined) => void;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;
  readonly #operations: CellLookup<[namespace: string, op: string, result: StoreResult], SumCell>;
  readonly #duration: CellLookup<[namespace: string, op: string, result: StoreResult], HistogramCell>;
  readonly #hits: CellLookup<[tier: string], SumCell>;
  readonly #misses: CellLookup<[], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    const { cells, protect } = instrumentation;
    this.begin = protect<[() => StoreOperation], Operation | undefined>(
      (operation) => this.#begin(operation()),
      () => undefined,
    );
    this.lookup = protect<[string | undefined], void>(
      (tier) => this.#lookup(tier),
      () => {},
    );
    this.#operations = cells.counter(
      'kv_ops_total',
      { description: 'Operations on stores.', unit: '{operation}', prefixed: true },
      (namespace, op, result) => ({ namespace, op, result }),
    );
    this.#duration = cells.histogram(
      'kv_op_duration_seconds',
      { description: 'Duration of operations on stores.', unit: 's', boundaries: prometheusBoundaries, prefixed: true },
      (namespace, op, result) => ({ namespace, op, result }),
    );
    this.#hits = cells.counter(
      'cache.hits',
      { description: 'Lookups that a tier of the cache answered.', unit: '{lookup}', prefixed: true },
      (tier) => ({ tier }),
    );
    this.#misses = cells.counter(
      'cache.misses',
      { description: 'Lookups that no tier of the cache answered.', unit: '{lookup}', prefixed: true },
      () => ({}),
    );
  }

  #begin({ namespace, op, node, key, outcomeOf }: StoreOperation): Operation {
    const { startSpan, protect } = this.#instrumentation;
    const judge = protect(outcomeOf, (failure): StoreOutcome => ({ result: failure === undefined ? 'ok' : 'error' }));
    const parent = context.active();
    const span = startSpan({
      name: `kv.${op}`,
      kind: SpanKind.INTERNAL,
      parent,
      attributes: () => ({ 'kv.namespace': namespace, 'kv.node': node, ...(key !== undefined && { 'kv.key': key }) }),
    });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const started = performance.now();
    const end = (failure: Failure | undefined, answer: unknown): void => {
      const millis = performance.now() - started;
      const { result, found } = judge(failure, answer);
      this.#operations(namespace, op, result).add(1);
      this.#duration(namespace, op, result).record(millis / 1000, inside);
      if (span === undefined) return;
      span.setAttribute('kv.duration_us', Math.round(millis * 1000));
      if (found !== undefined) span.setAttribute('kv.found', found);
      if (failure !== undefined && result === 'error') recordFailure(span, failure);
      span.end();
    };
    return this.#open.track({ context: inside, end: protect(end, () => {}) });
  }

  #lookup(tier: string | undefined): void {
    if (tier === undefined) this.#misses().add(1);
    else this.#hits(tier).add(1);
    if (!this.#instrumentation.wants.spans) return;
    trace.getActiveSpan()?.setAttributes({ 'cache.hit': tier !== undefined, 'cache.tier': tier ?? 'none' });
  }
}
