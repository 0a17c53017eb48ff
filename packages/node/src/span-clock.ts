import { type Context, type HrTime, trace } from '@opentelemetry/api';
import { addHrTimes, millisToHrTime } from '@opentelemetry/core';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { wallClock } from './wall-clock.ts';

/** A child keeps its parent's idea of the time while the parent is at most this old. */
const keptMillis = 60_000;

interface SpanStart {
  /** When `performance.now()` was 0. */
  readonly origin: HrTime;
  /** Reading of `performance.now()`. */
  readonly started: number;
}

/**
 * Gives spans a start in nanoseconds. The official span starts at `Date.now()` and ends as much later as
 * `performance.now()` says: with starts cut to milliseconds, children seem to outlive their parents, and what happened
 * within a millisecond loses its order. Spans whose start the application gives are left alone. What is set here is the
 * span's own (its package's version is pinned); a span that keeps its times elsewhere keeps them as they are.
 */
export class SpanClock implements SpanProcessor {
  readonly #starts = new WeakMap<object, SpanStart>();

  onStart(span: object, parentContext: Context): void {
    const started: unknown = Reflect.get(span, '_performanceStartTime');
    if (typeof started !== 'number' || Reflect.get(span, '_startTimeProvided') !== false) return;
    const origin = this.#parentOrigin(parentContext, started) ?? wallClock.origin();
    this.#starts.set(span, { origin, started });
    Reflect.set(span, 'startTime', addHrTimes(origin, millisToHrTime(started)));
    // By which the span reads the application's own `performance.now()`: for the end, and for events.
    const own = millisToHrTime(performance.timeOrigin);
    Reflect.set(span, '_performanceOffset', (origin[0] - own[0]) * 1000 + (origin[1] - own[1]) / 1e6);
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** A clock that is set in the middle of a request must not tear its spans apart. */
  #parentOrigin(parentContext: Context, started: number): HrTime | undefined {
    const span = trace.getSpan(parentContext);
    const parent = span && this.#starts.get(span);
    return parent !== undefined && started - parent.started <= keptMillis ? parent.origin : undefined;
  }
}
