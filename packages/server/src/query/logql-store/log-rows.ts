import { parseAnyValue } from '../key-values.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { attributeText } from '../promql-store/attribute-text.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { attributeKeys, hasAnyAttribute } from './attribute-keys.ts';
import { detectedLevel, lokiName, type StoredStream } from './stored-stream.ts';

/** Number of AttributeType (packages/records) of bodies that are texts. */
export const LOG_STRING_BODY = 1;

/** What is read of each record besides its attributes. Texts are empty where there is nothing. */
export const LOG_COLUMNS = `toUnixTimestamp64Nano(time) AS at, resource_id, body, body_type, severity_number, severity_text::String AS level,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS trace, if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS span,
  scope_name::String AS scope, scope_version::String AS version, flags, toUnixTimestamp64Nano(observed_time) AS observed, event_name::String AS event`;

const ATTRIBUTES =
  'toJSONString((attributes_string, attributes_int, attributes_double, attributes_bool, attributes_other))';
const HAS_NONE = ['string', 'int', 'double', 'bool', 'other'].map((type) => `empty(attributes_${type})`).join(' AND ');

/** The attributes as JSON; '' where there are none, or none that is one of the labels. */
export function attributesColumn(labels: readonly string[] | undefined, parameters: SqlParameters): string {
  const keys = labels?.map(attributeKeys);
  if (keys === undefined || keys.includes(undefined)) return `if(${HAS_NONE}, '', ${ATTRIBUTES}) AS attributes`;
  const names = keys.flatMap((some) => some ?? []);
  if (names.length === 0) return "'' AS attributes";
  return `if(${hasAnyAttribute(parameters.strings(names))}, ${ATTRIBUTES}, '') AS attributes`;
}

/** Columns of a result of these. */
export interface LogCells {
  readonly at: BigInt64Array;
  readonly resource_id: BigUint64Array;
  readonly body: readonly string[];
  readonly body_type: Uint8Array;
  readonly severity_number: Uint8Array;
  readonly level: readonly string[];
  readonly trace: readonly string[];
  readonly span: readonly string[];
  readonly scope: readonly string[];
  readonly version: readonly string[];
  readonly flags: Uint32Array;
  readonly observed: BigInt64Array;
  readonly event: readonly string[];
  readonly attributes: readonly string[];
}

const impliedLevels = new Map<number, ReadonlyMap<string, string>>();

/** A row as Loki's OTLP endpoint would have stored it; one that was pushed in Loki's format as it was pushed. */
export function logEntry(cells: LogCells, row: number, stored: StoredStream): LogEntry {
  const line = lineOf(cells.body[row] as string, cells.body_type[row] as number);
  const time = cells.at[row] as bigint;
  const { stream, isPushed } = stored;
  const attributes = attributesOf(cells.attributes[row] as string);
  const severity = cells.severity_number[row] as number;
  if (isPushed) return { stream, time, line, metadata: attributes, implied: impliedLevel(severity) };
  const own = recordMetadata({
    observedTime: cells.observed[row] as bigint,
    severityNumber: severity,
    severityText: cells.level[row] as string,
    flags: cells.flags[row] as number,
    traceId: cells.trace[row] as string,
    spanId: cells.span[row] as string,
    scopeName: cells.scope[row] as string,
    scopeVersion: cells.version[row] as string,
    eventName: cells.event[row] as string,
  });
  return { stream, time, line, metadata: [...stored.metadata, ...own, ...attributes] };
}

/** What a record of OTLP has besides its attributes; texts are empty and numbers 0 where there is nothing. */
export interface RecordFields {
  readonly observedTime: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly flags: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly eventName: string;
}

/** The structured metadata that Loki's OTLP endpoint makes of it. */
export function recordMetadata(fields: RecordFields): [string, string][] {
  const { observedTime, severityNumber, flags } = fields;
  const all: [string, string][] = [
    ['observed_timestamp', observedTime === 0n ? '' : String(observedTime)],
    ['severity_number', severityNumber === 0 ? '' : String(severityNumber)],
    ['severity_text', fields.severityText],
    ['detected_level', detectedLevel(severityNumber)],
    ['flags', flags === 0 ? '' : String(flags)],
    ['trace_id', fields.traceId],
    ['span_id', fields.spanId],
    ['scope_name', fields.scopeName],
    ['scope_version', fields.scopeVersion],
    ['event_name', fields.eventName],
  ];
  return all.filter(([, value]) => value !== '');
}

function impliedLevel(severity: number): ReadonlyMap<string, string> {
  let implied = impliedLevels.get(severity);
  if (implied === undefined) {
    implied = new Map([['detected_level', detectedLevel(severity)]]);
    impliedLevels.set(severity, implied);
  }
  return implied;
}

function lineOf(body: string, type: number): string {
  if (type === LOG_STRING_BODY) return body;
  return type === 0 ? '' : attributeText(parseAnyValue(body));
}

type AttributeMaps = readonly [
  strings: Record<string, string>,
  ints: Record<string, string | number>,
  doubles: Record<string, number | string | null>,
  bools: Record<string, number>,
  others: Record<string, string>,
];

function attributesOf(json: string): [string, string][] {
  if (json === '') return [];
  const [strings, ints, doubles, bools, others] = JSON.parse(json) as AttributeMaps;
  const found: [string, string][] = [];
  for (const [key, value] of Object.entries(strings)) found.push([lokiName(key), value]);
  for (const map of [ints, doubles]) {
    for (const [key, value] of Object.entries(map)) found.push([lokiName(key), String(value)]);
  }
  for (const [key, value] of Object.entries(bools)) found.push([lokiName(key), value === 1 ? 'true' : 'false']);
  for (const [key, value] of Object.entries(others)) found.push([lokiName(key), attributeText(parseAnyValue(value))]);
  return found;
}
