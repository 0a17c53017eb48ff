import type { LogObject } from '@signalbox/records';
import { type RecordedAttributes, type RecordedValue, recordedAttributes, recordedValue } from './recorded-value.ts';

/** A log record as it arrived. `traceId` and `spanId` are undefined outside of any span. */
export interface RecordedLog {
  readonly time: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: RecordedValue;
  readonly attributes: RecordedAttributes;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly scope: { readonly name: string; readonly version: string };
  readonly resource: RecordedAttributes;
}

export function recordedLog(log: LogObject): RecordedLog {
  return {
    time: log.time,
    severityNumber: log.severityNumber,
    severityText: log.severityText,
    eventName: log.eventName,
    body: recordedValue(log.body),
    attributes: recordedAttributes(log.attributes),
    traceId: /^0*$/.test(log.traceId) ? undefined : log.traceId,
    spanId: /^0*$/.test(log.spanId) ? undefined : log.spanId,
    scope: { name: log.scope.name, version: log.scope.version },
    resource: recordedAttributes(log.resource.attributes),
  };
}
