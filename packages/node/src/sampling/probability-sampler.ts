import { createTraceState, type TraceState, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import type { OwnSampler } from './simple-samplers.ts';

/** Hex digits of randomness and of thresholds: 56 bits. */
const digits = 14;
const zeros = '0'.repeat(digits);
const defaultPrecision = 4;

/**
 * Consistent probability sampling
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/): a trace is kept when its 56 bits of
 * randomness (`rv` of the trace state, else the end of the trace id) are at least the rejection threshold, and the
 * threshold travels as `ot=th:…`, from which whoever counts knows how many traces this one stands for. Services with
 * different ratios keep the same traces, as far as the smaller ratio goes.
 */
export function probabilitySampler(ratio: number): OwnSampler {
  const threshold = thresholdOf(ratio);
  const padded = threshold?.padEnd(digits, '0');
  return {
    usesAttributes: false,
    shouldSample(context, traceId) {
      const state = trace.getSpanContext(context)?.traceState;
      const randomness = randomnessOf(state) ?? traceId.slice(-digits);
      // Of equal length and in lower case, hex digits compare as the numbers they are.
      const isKept = padded !== undefined && randomness >= padded;
      const traceState = withThreshold(state, isKept ? threshold : undefined);
      return {
        decision: isKept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
        ...(traceState !== undefined && { traceState }),
      };
    },
    toString: () => `ProbabilitySampler{${ratio}}`,
  };
}

/** The rejection threshold of a probability as `th` writes it: hex without trailing zeros; undefined keeps nothing. */
export function thresholdOf(ratio: number): string | undefined {
  if (!(ratio >= 2 ** -56)) return undefined;
  if (ratio >= 1) return '0';
  // 56 bits are more than a double's 53: the upper 52 are what the ratio is known to.
  const full = BigInt(Math.round((1 - ratio) * 2 ** 52)) << 4n;
  const largest = (1n << 56n) - 1n;
  const exact = (full > largest ? largest : full).toString(16).padStart(digits, '0');
  // Small ratios begin with f after f, which say nothing yet.
  const leading = /^f*/.exec(exact)?.[0].length ?? 0;
  const kept = Math.min(digits, leading + defaultPrecision);
  const step = 1n << BigInt(4 * (digits - kept));
  const rounded = ((BigInt(`0x${exact}`) + step / 2n) / step) * step;
  const text = (rounded > largest ? BigInt(`0x${exact}`) : rounded).toString(16).padStart(digits, '0');
  return text === zeros ? '0' : text.replace(/0+$/, '');
}

function randomnessOf(state: TraceState | undefined): string | undefined {
  const value = /(?:^|;)rv:([0-9a-f]{14})(?:;|$)/.exec(state?.get('ot') ?? '')?.[1];
  return value;
}

/** The trace state with `th` set, or without it; what else its `ot` entry says stays. */
export function withThreshold(state: TraceState | undefined, threshold: string | undefined): TraceState | undefined {
  const before = state?.get('ot');
  const others = (before ?? '').split(';').filter((field) => field !== '' && !field.startsWith('th:'));
  const entry = [...(threshold === undefined ? [] : [`th:${threshold}`]), ...others].join(';');
  if (entry === (before ?? '')) return state;
  const base = state ?? createTraceState();
  return entry === '' ? base.unset('ot') : base.set('ot', entry);
}
