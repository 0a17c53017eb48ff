import { parseAnyValue } from '../key-values.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { attributeText } from '../promql-store/attribute-text.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { detectedLevel, lokiName, type StoredStream } from './stored-stream.ts';

/** Number of AttributeType (packages/records) of bodies that are texts. */
export const LOG_STRING_BODY = 1;

/** Where what a record has besides its line, its stream and its attributes comes from: the label that it becomes, SQL, and SQL of nothing. */
const RECORD_COLUMNS: readonly (readonly [column: string, labels: readonly string[], sql: string, nothing: string])[] =
  [
    ['severity_number', ['severity_number', 'detected_level'], 'severity_number', 'toUInt8(0)'],
    ['level', ['severity_text'], 'severity_text::String', "''"],
    ['trace', ['trace_id'], "if(trace_id = toFixedString('', 16), '', lower(hex(trace_id)))", "''"],
    ['span', ['span_id'], "if(span_id = toFixedString('', 8), '', lower(hex(span_id)))", "''"],
    ['scope', ['scope_name'], 'scope_name::String', "''"],
    ['version', ['scope_version'], 'scope_version::String', "''"],
    ['flags', ['flags'], 'flags', 'toUInt32(0)'],
    ['observed', ['observed_timestamp'], 'toUnixTimestamp64Nano(observed_time)', 'toInt64(0)'],
    ['event', ['event_name'], 'event_name::String', "''"],
  ];

/** The labels that records have of themselves. */
export const RECORD_LABELS: ReadonlySet<string> = new Set(RECORD_COLUMNS.flatMap(([, labels]) => labels));

/** What is read of each record besides its time, line, stream and attributes. @param labels that matter; undefined: all do */
export function recordColumns(labels: readonly string[] | undefined): string {
  return RECORD_COLUMNS.map(([column, names, sql, nothing]) => {
    const isWanted = labels === undefined || names.some((name) => labels.includes(name));
    const value = isWanted ? sql : nothing;
    return value === column ? column : `${value} AS ${column}`;
  }).join(', ');
}

const MAPS = ['string', 'int', 'double', 'bool', 'other'].map((type) => `attributes_${type}`);
const HAS_NONE = MAPS.map((map) => `empty(${map})`).join(' AND ');

/** Attributes as JSON, '' for none. @param keys the only ones that matter; undefined: all do */
export function attributesColumn(keys: readonly string[] | undefined, parameters: SqlParameters): string {
  if (keys === undefined) return `if(${HAS_NONE}, '', toJSONString((${MAPS.join(', ')}))) AS attributes`;
  if (keys.length === 0) return "'' AS attributes";
  const names = parameters.strings(keys);
  const maps = MAPS.map((map) => `mapFilter((k, v) -> has(${names}, k), ${map})`);
  const hasAny = keys.flatMap((key) => MAPS.map((map) => `has(${map}.keys, ${parameters.string(key)})`));
  return `if(${hasAny.join(' OR ')}, toJSONString((${maps.join(', ')})), '') AS attributes`;
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
