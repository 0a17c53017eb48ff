import { type Attributes, type Context, context, isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { prometheusBoundaries } from '../surfaces/duration-boundaries.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';

export interface FunctionCall {
  readonly name: string;
  /** What is active unless given. */
  readonly parent?: Context;
  readonly kind?: SpanKind | undefined;
  /** Asked only when the span is recorded. */
  readonly attributes?: (() => Attributes) | undefined;
}

/**
 * Calls of the application's own functions. Span: the function's name; SERVER where nothing called it that is traced, else
 * INTERNAL. Metrics: `function_calls` by `function_id` and `status` (`success`, `error`), `function_duration` in seconds and
 * `function_in_flight` by `function_id`.
 */
export const functionSurface = defineSurface('functions', (instrumentation) => new FunctionRecorder(instrumentation));

class FunctionRecorder {
  readonly begin: (call: FunctionCall) => Operation | undefined;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;
  /** The application's own callback, which may throw. */
  readonly #ask: (attributes: FunctionCall['attributes']) => Attributes | undefined;
  readonly #calls: CellLookup<[name: string, status: 'success' | 'error'], SumCell>;
  readonly #duration: CellLookup<[name: string], HistogramCell>;
  readonly #inFlight: CellLookup<[name: string], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    this.begin = instrumentation.protect<[FunctionCall], Operation | undefined>(
      (call) => this.#begin(call),
      () => undefined,
    );
    this.#ask = instrumentation.protect<[FunctionCall['attributes']], Attributes | undefined>(
      (attributes) => attributes?.(),
      () => undefined,
    );
    this.#calls = instrumentation.cells.counter(
      'function_calls',
      { description: 'Calls of traced functions that are over.', unit: '{call}', prefixed: true },
      (name, status) => ({ function_id: name, status }),
    );
    this.#duration = instrumentation.cells.histogram(
      'function_duration',
      { description: 'Duration of traced functions.', unit: 's', boundaries: prometheusBoundaries, prefixed: true },
      (name) => ({ function_id: name }),
    );
    this.#inFlight = instrumentation.cells.upDownCounter(
      'function_in_flight',
      { description: 'Calls of traced functions that are under way.', unit: '{call}', prefixed: true },
      (name) => ({ function_id: name }),
    );
  }

  #begin({ name, parent = context.active(), kind, attributes }: FunctionCall): Operation {
    const above = trace.getSpanContext(parent);
    const isRoot = above === undefined || !isSpanContextValid(above);
    const span = this.#instrumentation.startSpan({
      name,
      kind: kind ?? (isRoot ? SpanKind.SERVER : SpanKind.INTERNAL),
      parent,
      attributes: () => ({ 'code.function.name': name, ...this.#ask(attributes) }),
    });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const started = performance.now();
    this.#inFlight(name).add(1);
    const end = (failure?: Failure): void => {
      this.#inFlight(name).add(-1);
      this.#duration(name).record((performance.now() - started) / 1000, inside);
      this.#calls(name, failure === undefined ? 'success' : 'error').add(1);
      if (span === undefined) return;
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return this.#open.track({ context: inside, end: this.#instrumentation.protect(end, () => {}) });
  }
}
