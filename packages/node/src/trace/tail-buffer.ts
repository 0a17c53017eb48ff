import { SpanStatusCode } from '@opentelemetry/api';
import type { RecordingSpan } from './span.ts';
import type { SpanScope } from './span-encoding.ts';

export interface TailPolicy {
  /** Keep traces in which a span failed. */
  readonly errors: boolean;
  /** Keep traces whose local root took at least so long; Infinity for none. */
  readonly slowMillis: number;
}

interface HeldTrace {
  readonly spans: { readonly scope: SpanScope; readonly encoded: Uint8Array }[];
  bytes: number;
  failed: boolean;
  /** Undefined while the local root is open. */
  kept: boolean | undefined;
}

const maxTraces = 5000;
const maxSpansPerTrace = 1000;
const maxBytes = 16 * 1024 * 1024;

/**
 * Decides by the outcome of traces that the sampler has dropped: their spans are held until the span under which the trace
 * entered this process has ended, and delivered when one failed or it took long. Bounded in traces, spans and bytes; under
 * pressure the oldest trace is given up, as sampling would have done. Other services decide for themselves: what is
 * propagated stays "not sampled".
 */
export class TailBuffer {
  /** Spans given up because too much was held. */
  evicted = 0;
  readonly #policy: TailPolicy;
  readonly #deliver: (scope: SpanScope, encoded: Uint8Array) => void;
  /** By local root; spans that end after it still find the decision there. */
  readonly #traces = new WeakMap<RecordingSpan, HeldTrace>();
  /** Undecided, oldest first. */
  readonly #held = new Set<HeldTrace>();
  #bytes = 0;

  constructor(policy: TailPolicy, deliver: (scope: SpanScope, encoded: Uint8Array) => void) {
    this.#policy = policy;
    this.#deliver = deliver;
  }

  /** Takes an unsampled span that has ended. */
  hold(span: RecordingSpan, encode: () => Uint8Array): void {
    const trace = this.#traceOf(span.localRoot);
    if (trace.kept === false) return;
    if (span.status.code === SpanStatusCode.ERROR) trace.failed = true;
    const isRoot = span.localRoot === span;
    if (trace.kept === true || (isRoot && this.#isKept(trace, span))) this.#deliver(span.scope, encode());
    else if (!isRoot) this.#add(trace, span.scope, encode());
    if (isRoot) this.#decide(trace, this.#isKept(trace, span));
  }

  #isKept({ failed }: HeldTrace, root: RecordingSpan): boolean {
    const { errors, slowMillis } = this.#policy;
    return (errors && failed) || root.seconds * 1000 >= slowMillis;
  }

  #traceOf(localRoot: RecordingSpan): HeldTrace {
    let trace = this.#traces.get(localRoot);
    if (trace === undefined) {
      trace = { spans: [], bytes: 0, failed: false, kept: undefined };
      this.#traces.set(localRoot, trace);
    }
    return trace;
  }

  #add(trace: HeldTrace, scope: SpanScope, encoded: Uint8Array): void {
    if (trace.spans.length >= maxSpansPerTrace) {
      this.evicted += 1;
      return;
    }
    this.#held.add(trace);
    trace.spans.push({ scope, encoded: Buffer.from(encoded) });
    trace.bytes += encoded.length;
    this.#bytes += encoded.length;
    for (const oldest of this.#held) {
      if (this.#held.size <= maxTraces && this.#bytes <= maxBytes) break;
      this.evicted += oldest.spans.length;
      this.#decide(oldest, false);
    }
  }

  #decide(trace: HeldTrace, kept: boolean): void {
    trace.kept = kept;
    this.#held.delete(trace);
    this.#bytes -= trace.bytes;
    trace.bytes = 0;
    for (const { scope, encoded } of trace.spans.splice(0)) if (kept) this.#deliver(scope, encoded);
  }
}
