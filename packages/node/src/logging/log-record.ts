import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { AnyValue, AnyValueMap } from '@opentelemetry/api-logs';

export interface LogScope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
  readonly attributes?: AnyValueMap;
  readonly droppedAttributesCount?: number;
}

/** What is sent of a log record; the official SDK's `SdkLogRecord` is one. */
export interface FinishedLogRecord {
  readonly instrumentationScope: LogScope;
  readonly hrTime: HrTime;
  readonly hrTimeObserved: HrTime;
  /** Undefined outside of traces. */
  readonly spanContext?: SpanContext | undefined;
  readonly severityNumber?: number | undefined;
  readonly severityText?: string | undefined;
  readonly body?: AnyValue | undefined;
  readonly eventName?: string | undefined;
  readonly attributes: AnyValueMap;
  readonly droppedAttributesCount: number;
}

const maxValues = 64;

/**
 * Whether attributes can be taken as they are: a few plain values, none of which the official SDK would refuse. Others are
 * left for it to judge.
 */
export function arePlain(attributes: Readonly<Record<string, unknown>>, maxCount: number): boolean {
  const keys = Object.keys(attributes);
  if (keys.length > maxCount) return false;
  const budget = { left: maxValues };
  for (const key of keys) if (key === '' || !isPlain(attributes[key], budget)) return false;
  return true;
}

/** What contains itself uses up the budget. */
function isPlain(value: unknown, budget: { left: number }): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null || value instanceof Uint8Array) return true;
  budget.left -= 1;
  if (budget.left < 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, budget));
  const { constructor: madeBy } = value;
  if (madeBy !== Object && madeBy !== undefined) return false;
  return Object.values(value).every((item) => isPlain(item, budget));
}
