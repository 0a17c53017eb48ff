import type { VectorSelector } from '@signalbox/query-language';
import { Turns } from '../turns.ts';
import type { Annotations } from './annotations.ts';
import { PromqlError } from './promql-error.ts';
import type { RawSeries } from './queryable.ts';
import type { StepVector } from './step-vector.ts';
import type { Steps } from './steps.ts';

/** What the evaluation of one query has in common over all its parts. */
export interface EvaluationOptions {
  readonly query: string;
  readonly lookbackMs: number;
  /** Step of subqueries that do not say theirs. */
  readonly defaultSubqueryStepMs: number;
  /** Samples that may be in memory at once. */
  readonly maxSamples: number;
  readonly delaysNameRemoval: boolean;
  readonly usesStartTimes: boolean;
  readonly hasTypeAndUnitLabels: boolean;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly annotations: Annotations;
  /** The samples of every selector of the query. */
  readonly selected: ReadonlyMap<VectorSelector, readonly RawSeries[]>;
}

export interface Evaluation extends EvaluationOptions {
  readonly steps: Steps;
}

/** Counts what a query holds, and lets others have a turn; shared by all parts of one query. */
export class Budget {
  readonly #options: EvaluationOptions;
  readonly #turns = new Turns();
  #samples = 0;

  constructor(options: EvaluationOptions) {
    this.#options = options;
  }

  /** Counts samples that are held from now on. Throws when they are too many. */
  take(samples: number): void {
    this.#samples += samples;
    if (this.#samples > this.#options.maxSamples) {
      throw new PromqlError('execution', 'query processing would load too many samples into memory in query execution');
    }
  }

  give(samples: number): void {
    this.#samples -= samples;
  }

  /** Whether it is time to call `rest`. */
  get isTired(): boolean {
    return this.#turns.isOver;
  }

  /** Lets the event loop run. Throws when the query has taken too long, or nobody waits for it any more. */
  async rest(): Promise<void> {
    const { signal, deadlineMs } = this.#options;
    await this.#turns.next();
    if (signal?.aborted) throw new PromqlError('canceled', 'query was canceled in expression evaluation');
    if (Date.now() > deadlineMs) throw new PromqlError('timeout', 'query timed out in expression evaluation');
  }
}

/** The value of an expression over all steps. */
export type StepValue =
  | { readonly type: 'scalar'; readonly values: Float64Array }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'vector'; readonly vector: StepVector };
