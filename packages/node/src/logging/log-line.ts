import type { Context, HrTime } from '@opentelemetry/api';
import type { AnyValue } from '@opentelemetry/api-logs';

/** A line of the application's own log, all but its attributes. */
export interface LogLine {
  readonly time: HrTime;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string | undefined;
  readonly context: Context;
}

/** Takes the attributes of a line. They come last one first, as they are encoded; of a name that comes again, the first value counts. */
export interface LineAttributes {
  /** `value` is one that `toAnyValue` made, or needs nothing made of it. */
  add(name: string, value: AnyValue): void;
  /** `value` is one that has been logged: what `toAnyValue` makes of it counts. */
  addLogged(name: string, value: unknown): void;
}

/** Hands out all attributes of a line; may be asked twice. */
export type GiveAttributes = (attributes: LineAttributes) => void;
