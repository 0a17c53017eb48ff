import type { AnyValue } from '@signalbox/api-contract';
import { AttributeType, anyValueJson, attributesJson, hexOf, type LogBatch, textOf } from '@signalbox/records';
import type { LogCandidate } from '../filter/match-log.ts';
import { parseAnyValue, parseKeyValues } from '../key-values.ts';
import { shownServiceName } from './log-test.ts';
import { severityOf } from './severity.ts';

/** A row of a batch as an object that outlives the batch. @param id of the record, unique among those watched. */
export function logCandidate(batch: LogBatch, row: number, id: string): LogCandidate {
  const { bytes, resources, scopes } = batch;
  const resource = batch.resource[row] as number;
  const scope = batch.scope[row] as number;
  const observed = batch.observedTime.values[row] as bigint;
  const time = batch.time.values[row] as bigint;
  const severityNumber = batch.severityNumber[row] as number;
  const traceId = hexOf(batch.traceId, 16, row);
  const spanId = hexOf(batch.spanId, 8, row);
  const { body, bodyText } = bodyOf(batch, row);
  return {
    record: {
      id,
      timeUnixNano: String(time === 0n ? observed : time),
      observedTimeUnixNano: String(observed),
      severity: severityOf(severityNumber),
      severityNumber,
      severityText: textOf(bytes, batch.severityText, row),
      service: shownServiceName(textOf(bytes, resources.serviceName, resource)),
      body,
      eventName: textOf(bytes, batch.eventName, row),
      traceId: isZero(traceId) ? '' : traceId,
      spanId: isZero(spanId) ? '' : spanId,
      attributes: byKey(parseKeyValues(attributesJson(bytes, batch.attributes, row))),
      resourceAttributes: byKey(parseKeyValues(attributesJson(bytes, resources.attributes, resource))),
      scope: { name: textOf(bytes, scopes.name, scope), version: textOf(bytes, scopes.version, scope) },
    },
    bodyText,
    scopeAttributes: parseKeyValues(attributesJson(bytes, scopes.attributes, scope)),
  };
}

function bodyOf(batch: LogBatch, row: number): { body: AnyValue; bodyText: string } {
  const type = batch.body.type[row];
  const json = anyValueJson(batch.bytes, batch.body, row);
  const body = parseAnyValue(json);
  if (type === AttributeType.Empty) return { body: {}, bodyText: '' };
  return {
    body,
    bodyText: type === AttributeType.String ? String((body as { stringValue: string }).stringValue) : json,
  };
}

/** As the search gives them. */
function byKey<Entry extends { key: string }>(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex);
}
