import { parseAnyValue } from '../key-values.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { attributeText } from '../promql-store/attribute-text.ts';
import { detectedLevel, lokiName, type StoredStream } from './stored-stream.ts';

/** Number of AttributeType (packages/records) of bodies that are texts. */
export const LOG_STRING_BODY = 1;

/** What is read of each record, in this order. Texts are empty where there is nothing. */
export const LOG_COLUMNS = `toUnixTimestamp64Nano(time) AS at, resource_id, body, body_type, severity_number, severity_text::String AS level,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS trace, if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS span,
  scope_name::String AS scope, scope_version::String AS version, flags, toUnixTimestamp64Nano(observed_time) AS observed, event_name::String AS event,
  if(empty(attributes_string) AND empty(attributes_int) AND empty(attributes_double) AND empty(attributes_bool) AND empty(attributes_other), '',
    toJSONString((attributes_string, attributes_int, attributes_double, attributes_bool, attributes_other))) AS attributes`;

/** Columns of a result of `LOG_COLUMNS`. */
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
  const metadata: [string, string][] = [...stored.metadata.map(([name, value]): [string, string] => [name, value])];
  const add = (name: string, value: string) => {
    if (value !== '') metadata.push([name, value]);
  };
  if (cells.observed[row] !== 0n) add('observed_timestamp', String(cells.observed[row]));
  if (severity !== 0) add('severity_number', String(severity));
  add('severity_text', cells.level[row] as string);
  add('detected_level', detectedLevel(severity));
  if (cells.flags[row] !== 0) add('flags', String(cells.flags[row]));
  add('trace_id', cells.trace[row] as string);
  add('span_id', cells.span[row] as string);
  add('scope_name', cells.scope[row] as string);
  add('scope_version', cells.version[row] as string);
  add('event_name', cells.event[row] as string);
  metadata.push(...attributes);
  return { stream, time, line, metadata };
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
