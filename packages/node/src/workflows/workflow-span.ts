import type { Attributes, SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';

/** A span's context without methods, which do not come out of the sandbox. */
export interface PlainSpanContext extends Omit<SpanContext, 'traceState' | 'isRemote'> {
  readonly traceState?: string;
}

/** A span that has ended in a workflow, as it leaves the sandbox. */
export interface WorkflowSpanData {
  readonly name: string;
  readonly kind: SpanKind;
  /** Name of the tracer; empty for that of the instrumentation. */
  readonly scope: string;
  readonly spanContext: PlainSpanContext;
  readonly parent?: PlainSpanContext;
  /** Nobody has decided yet whether its trace is kept. */
  readonly isUndecided: boolean;
  /** Milliseconds since 1970, by the workflow's clock: it stands still while the workflow computes. */
  readonly startMillis: number;
  readonly endMillis: number;
  readonly attributes: Attributes;
  readonly links: readonly PlainSpanContext[];
  readonly events: readonly WorkflowSpanEvent[];
  readonly status?: { readonly code: SpanStatusCode; readonly message?: string };
}

export interface WorkflowSpanEvent {
  readonly name: string;
  readonly millis: number;
  readonly attributes: Attributes;
}

/** What of the sandbox's spans is wanted: none, those that are sampled, or all. */
export type WantedSpans = 'none' | 'sampled' | 'all';

/** The name of the sink, and its functions as they are called in the sandbox. */
export const sinkName = 'signalbox';

export type WorkflowSink = {
  ended(span: WorkflowSpanData): void;
  /** Something of ours went wrong in there. */
  failed(reason: string): void;
};

/** Set in carriers of traces that began in a workflow, where no sampler can be asked. */
export const undecidedKey = 'signalbox-undecided';

/** As other SDKs of Temporal call them. */
export const workflowIdKey = 'temporalWorkflowID';
export const runIdKey = 'temporalRunID';
export const activityIdKey = 'temporalActivityID';
export const updateIdKey = 'temporalUpdateID';
export const attemptKey = 'temporalAttempt';
export const taskQueueKey = 'temporalTaskQueue';
export const nexusServiceKey = 'temporalNexusService';
export const nexusOperationKey = 'temporalNexusOperation';
