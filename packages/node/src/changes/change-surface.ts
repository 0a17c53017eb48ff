import { SpanKind } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, SumCell } from '../metrics/cells.ts';
import { type Failure, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';

/**
 * Streams of changes out of a database (PostgreSQL's logical replication). Metrics, all by `slot`: `cdc_changes_total`,
 * `cdc_retained_wal_bytes`, `cdc_errors_total`. Span: `cdc.error` for each error.
 */
export const changeSurface = defineSurface('cdc', (instrumentation) => new ChangeRecorder(instrumentation));

export class ChangeRecorder {
  readonly fail: (slot: string, failure: Failure) => void;
  readonly #instrumentation: InstrumentationContext;
  readonly #changes: CellLookup<[slot: string], SumCell>;
  readonly #retained: CellLookup<[slot: string], SumCell>;
  readonly #errors: CellLookup<[slot: string], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    const { cells, protect } = instrumentation;
    this.fail = protect<[string, Failure], void>(
      (slot, failure) => this.#fail(slot, failure),
      () => {},
    );
    const attributesOf = (slot: string) => ({ slot });
    this.#changes = cells.counter(
      'cdc_changes_total',
      { description: 'Changes received.', unit: '{change}', prefixed: true },
      attributesOf,
    );
    // A level that is told in steps: its sum is what was told last.
    this.#retained = cells.upDownCounter(
      'cdc_retained_wal_bytes',
      { description: 'Bytes of the log that the database keeps for the slot.', unit: 'By', prefixed: true },
      attributesOf,
    );
    this.#errors = cells.counter(
      'cdc_errors_total',
      { description: 'Errors of the stream.', unit: '{error}', prefixed: true },
      attributesOf,
    );
  }

  change(slot: string, count: number): void {
    this.#changes(slot).add(count);
  }

  retain(slot: string, byHowMuchMore: number): void {
    this.#retained(slot).add(byHowMuchMore);
  }

  #fail(slot: string, failure: Failure): void {
    this.#errors(slot).add(1);
    const span = this.#instrumentation.startSpan({
      name: 'cdc.error',
      kind: SpanKind.INTERNAL,
      attributes: () => ({ 'cdc.slot': slot }),
    });
    if (span === undefined) return;
    recordFailure(span, failure);
    span.end();
  }
}
