import { type Context, context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';

type JobResult = 'completed' | 'error';

/** Jobs take from milliseconds to hours. */
const durationBoundaries = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

/**
 * Jobs that a scheduler runs. Span: the job's name, the root of a trace for each run. Metrics: `job_runs_total` and
 * `job_duration_seconds` by `job_name` and `result` (`completed`, `error`), `job_active` by `job_name`: a label `job` is to
 * Prometheus the service.
 */
export const jobSurface = defineSurface('jobs', (instrumentation) => new JobRecorder(instrumentation));

class JobRecorder {
  readonly begin: (job: string) => Operation | undefined;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;
  readonly #runs: CellLookup<[job: string, result: JobResult], SumCell>;
  readonly #duration: CellLookup<[job: string, result: JobResult], HistogramCell>;
  readonly #active: CellLookup<[job: string], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    const { cells, protect } = instrumentation;
    this.begin = protect<[string], Operation | undefined>(
      (job) => this.#begin(job),
      () => undefined,
    );
    this.#runs = cells.counter(
      'job_runs_total',
      { description: 'Runs of scheduled jobs that are over.', unit: '{run}', prefixed: true },
      (job, result) => ({ job_name: job, result }),
    );
    this.#duration = cells.histogram(
      'job_duration_seconds',
      { description: 'Duration of scheduled jobs.', unit: 's', boundaries: durationBoundaries, prefixed: true },
      (job, result) => ({ job_name: job, result }),
    );
    this.#active = cells.upDownCounter(
      'job_active',
      { description: 'Runs of scheduled jobs that are under way.', unit: '{run}', prefixed: true },
      (job) => ({ job_name: job }),
    );
  }

  #begin(job: string): Operation {
    const { startSpan, protect } = this.#instrumentation;
    const parent = withoutSpan(context.active());
    const span = startSpan({ name: job, kind: SpanKind.INTERNAL, parent, attributes: () => ({ 'job.name': job }) });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const started = performance.now();
    this.#active(job).add(1);
    const end = (failure?: Failure): void => {
      const result = failure === undefined ? 'completed' : 'error';
      this.#active(job).add(-1);
      this.#runs(job, result).add(1);
      this.#duration(job, result).record((performance.now() - started) / 1000, inside);
      if (span === undefined) return;
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return this.#open.track({ context: inside, end: protect(end, () => {}) });
  }
}

/** A timer keeps the context in which it was set: a run would become a part of whatever that was. */
function withoutSpan(active: Context): Context {
  return trace.getSpan(active) === undefined ? active : ROOT_CONTEXT;
}
