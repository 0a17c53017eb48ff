import { compactBatch, rowsByTrace, type SpanBatch, selectSpans } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { limitedWarnings } from '../limited-warnings.ts';
import { DecisionCache } from './decision-cache.ts';
import { HeldBatch, HeldTrace } from './held-trace.ts';
import type { Policy } from './policy.ts';
import type { NamedPolicy } from './policy-settings.ts';
import { ReleaseOutbox } from './release-outbox.ts';
import { isTraceSampled, type PolicyDecision, saysYes } from './sampling-decision.ts';
import type { Decision, TraceJournal } from './trace-journal.ts';

/** How often traces are looked at whose time may have come. */
const TICK_MS = 1_000;
const RETRY_AFTER_MS = 1_000;
/** Share of the memory from which on the oldest traces are decided early; the rest is for what comes until they are gone. */
const EARLY_SHARE = 0.8;

export interface TailSamplingSettings {
  /** From the first span of a trace to its decision. */
  readonly decisionWaitMs: number;
  /** Traces that wait; beyond, the oldest is decided early. */
  readonly maxTraces: number;
  /** Bytes that waiting spans may take in memory: from four fifths on the oldest traces are decided early; beyond, senders must wait. */
  readonly maxBytes: number;
  /** Decisions that late spans follow. */
  readonly rememberedSampled: number;
  readonly rememberedNotSampled: number;
  readonly sampleOnFirstMatch: boolean;
  /** Without a journal: whether a shutdown drops what waits. */
  readonly dropPendingOnShutdown: boolean;
  readonly policies: readonly NamedPolicy[];
}

/**
 * Gathers the spans of each trace for some time, then keeps or drops all of them as its policies say. Late spans follow the
 * decision as long as it is remembered.
 *
 * `consume` resolves when the spans that wait are in the journal, and those of traces that were sampled already are accepted by
 * the next stage. A restart goes on with what waited, in the order in which it came; delivery is at least once.
 */
export class TailSampler implements PipelineComponent, Consumer<SpanBatch> {
  readonly consumers: Consumers = { traces: this };
  readonly #settings: TailSamplingSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumer<SpanBatch>;
  readonly #journal: TraceJournal;
  readonly #policies: readonly { readonly name: string; readonly decide: Policy }[];
  readonly #decided: DecisionCache;
  /** In the order of their decisions. */
  readonly #waiting = new Map<string, HeldTrace>();
  readonly #outbox: ReleaseOutbox;
  readonly #early: { add(amount: number): void };
  #heldBytes = 0;
  /** Of sampled traces that the next stage has not taken yet: deciding more makes no more room than that. */
  #leavingBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `makeJournal` is given the decisions that are remembered. */
  constructor(
    settings: TailSamplingSettings,
    context: ComponentContext,
    next: Consumer<SpanBatch>,
    makeJournal: (remembered: () => Iterable<Decision>) => TraceJournal,
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    this.#journal = makeJournal(() => this.#decided.entries());
    const warn = limitedWarnings(context.log, context.now);
    this.#policies = settings.policies.map(({ name, make }) => ({ name, decide: make(warn) }));
    this.#decided = new DecisionCache(settings.rememberedSampled, settings.rememberedNotSampled);
    this.#outbox = new ReleaseOutbox(next, {
      done: (traces) => this.#finish(traces, true),
      refused: (spans, error) => {
        context.telemetry
          .counter('signalbox_tail_sampling_refused_spans', 'Sampled spans that the next stage refused for good')
          .add(spans);
        context.log.error('sampled spans were refused and are lost', error, { spans });
      },
    });
    const { telemetry } = context;
    this.#early = telemetry.counter(
      'signalbox_tail_sampling_decided_early',
      'Traces decided before their time, for want of room',
    );
    telemetry.gauge(
      'otelcol_processor_tail_sampling_sampling_traces_on_memory',
      'Traces that wait for their decision',
      () => this.#waiting.size,
    );
    telemetry.gauge('signalbox_tail_sampling_held_bytes', 'Memory of waiting spans', () => this.#heldBytes);
  }

  async start(): Promise<void> {
    if (!this.#journal.isDurable) {
      this.#context.log.warn('a crash loses the spans that wait for a decision, since they are in memory only');
    }
    for await (const record of this.#journal.open()) {
      if (record.kind === 'spans') {
        this.#hold(new HeldBatch(record.spans, record.position, sizeOf(record.spans)));
      } else {
        this.#forget(record.decisions);
      }
    }
    if (this.#waiting.size > 0) {
      this.#context.log.info('traces wait on from before the restart', { traces: this.#waiting.size });
    }
    this.#timer = setInterval(() => this.decideDue(), Math.min(TICK_MS, Math.max(this.#settings.decisionWaitMs, 10)));
    this.#timer.unref();
  }

  /** What waits stays in the journal for the next start. Without one it is decided with the spans that are there. */
  async shutdown(deadlineMs: number): Promise<void> {
    if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    if (!this.#journal.isDurable && !this.#settings.dropPendingOnShutdown) {
      this.#decideWhile(() => true);
    }
    await this.#outbox.drain(deadlineMs);
    await this.#journal.close();
  }

  async consume(batch: SpanBatch, signal?: AbortSignal): Promise<ConsumeResult> {
    const late: number[] = [];
    const waiting: number[] = [];
    for (const [trace, rows] of rowsByTrace(batch)) {
      const sampled = this.#waiting.has(trace) ? undefined : this.#decided.get(trace);
      if (sampled !== false) {
        (sampled ? late : waiting).push(...rows);
      }
    }
    if (waiting.length > 0) {
      this.#makeRoom();
      const spans = compactBatch(waiting.length === batch.rowCount ? batch : selectSpans(batch, rowsOf(waiting)));
      const position = await this.#journal.appendSpans(spans);
      this.#hold(new HeldBatch(spans, position, sizeOf(spans)));
    }
    return late.length === 0 ? ALL_ACCEPTED : this.#next.consume(selectSpans(batch, rowsOf(late)), signal);
  }

  /** Decides the traces whose time has come. */
  decideDue(): void {
    const now = this.#context.now();
    this.#decideWhile((trace) => trace.decideAt <= now);
  }

  #makeRoom(): void {
    const { maxTraces, maxBytes } = this.#settings;
    const enough = maxBytes * EARLY_SHARE;
    if (this.#waiting.size < maxTraces && this.#heldBytes <= enough) {
      return;
    }
    let excess = Math.max(this.#waiting.size - maxTraces + 1, 0);
    let decided = 0;
    this.#decideWhile(() => {
      const isDue = excess-- > 0 || this.#heldBytes - this.#leavingBytes > enough;
      decided += isDue ? 1 : 0;
      return isDue;
    });
    this.#early.add(decided);
    if (this.#heldBytes > maxBytes) {
      throw new SignalboxError('resource_exhausted', 'Sampled traces are waiting to be taken by the next stage', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
  }

  /** Adds the spans to their traces. Those of traces that were decided meanwhile follow the decision. */
  #hold(batch: HeldBatch): void {
    const decideAt = this.#context.now() + this.#settings.decisionWaitMs;
    const released: HeldTrace[] = [];
    for (const [id, rows] of rowsByTrace(batch.spans)) {
      let trace = this.#waiting.get(id);
      const decided = trace === undefined ? this.#decided.get(id) : undefined;
      if (decided === false) {
        continue;
      }
      trace ??= new HeldTrace(id, decideAt);
      trace.add(batch, rows);
      batch.waiting++;
      if (decided === true) {
        released.push(trace);
        this.#leavingBytes += trace.bytes;
      } else {
        this.#waiting.set(id, trace);
      }
    }
    if (batch.waiting === 0) {
      this.#journal.release(batch.position);
      return;
    }
    this.#heldBytes += batch.size;
    this.#outbox.add(released);
  }

  /** Of a former life's decisions: their traces are done with, and late spans follow them. */
  #forget(decisions: readonly Decision[]): void {
    for (const [id, sampled] of decisions) {
      this.#decided.set(id, sampled);
      const trace = this.#waiting.get(id);
      if (trace !== undefined) {
        this.#waiting.delete(id);
        this.#letGo(trace);
      }
    }
  }

  #decideWhile(isDue: (trace: HeldTrace) => boolean): void {
    const sampled: HeldTrace[] = [];
    const dropped: HeldTrace[] = [];
    for (const trace of this.#waiting.values()) {
      if (!isDue(trace)) {
        break;
      }
      this.#waiting.delete(trace.id);
      const isSampled = this.#decide(trace);
      this.#decided.set(trace.id, isSampled);
      (isSampled ? sampled : dropped).push(trace);
      if (isSampled) {
        this.#leavingBytes += trace.bytes;
      } else {
        this.#letGo(trace);
      }
    }
    this.#outbox.add(sampled);
    if (dropped.length > 0) {
      this.#record(dropped, false).catch((error: unknown) => {
        // A restart decides them again.
        this.#context.log.error('decisions could not be written down', error);
      });
    }
  }

  #decide(trace: HeldTrace): boolean {
    const now = this.#context.now();
    const decisions: PolicyDecision[] = [];
    for (const { name, decide } of this.#policies) {
      const decision = decide(trace, now);
      decisions.push(decision);
      this.#count('otelcol_processor_tail_sampling_count_traces_sampled', {
        policy: name,
        sampled: String(saysYes(decision)),
      });
      if (decision === 'dropped' || (this.#settings.sampleOnFirstMatch && decision === 'sampled')) {
        break;
      }
    }
    const sampled = isTraceSampled(decisions);
    this.#count('otelcol_processor_tail_sampling_global_count_traces_sampled', { sampled: String(sampled) });
    return sampled;
  }

  #count(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#context.telemetry.counter(name, 'Decisions about traces', attributes).add(1);
  }

  /** The traces' spans were accepted: they need not survive any more. */
  async #finish(traces: readonly HeldTrace[], sampled: boolean): Promise<void> {
    try {
      await this.#record(traces, sampled);
    } catch (error) {
      // A restart hands them on once more.
      this.#context.log.error('decisions could not be written down', error);
    }
    for (const trace of traces) {
      this.#leavingBytes -= trace.bytes;
      this.#letGo(trace);
    }
  }

  #record(traces: readonly HeldTrace[], sampled: boolean): Promise<void> {
    return this.#journal.appendDecisions(traces.map(({ id }) => [id, sampled] as const));
  }

  #letGo({ parts }: HeldTrace): void {
    for (const { batch } of parts) {
      if (--batch.waiting === 0) {
        this.#heldBytes -= batch.size;
        this.#journal.release(batch.position);
      }
    }
  }
}

/** Ascending: spans stay in the order in which they came. */
function rowsOf(rows: readonly number[]): Uint32Array {
  return Uint32Array.from(rows).sort();
}

/** Roughly what a batch takes: its bytes, and the columns of its rows and entries. */
function sizeOf({ byteCount, rowCount, attributes, events, links }: SpanBatch): number {
  const entries = attributes.count + events.attributes.count + links.attributes.count;
  return byteCount + rowCount * 160 + entries * 41 + events.count * 28 + links.count * 52;
}
