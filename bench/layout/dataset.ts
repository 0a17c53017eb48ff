import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attribute } from '../workload/services.ts';
import { type Span, type SpanRequest, spanRequests } from '../workload/spans.ts';
import { openEngine } from './engine.ts';

export const blockRows = 20_000;
export const datasetStart = 1_790_000_000_000_000_000n;
/** A million spans in two hours. */
const traceIntervalNs = 71_000_000;

/** The columns as our writer makes them, before a layout rearranges the attributes (`a…`) and the resource (`r…`). */
const structure = `time_ns Int64, duration UInt64, trace String, span String, parent String, name LowCardinality(String),
  kind UInt8, service LowCardinality(String), status_code UInt8, scope_name LowCardinality(String), resource_id UInt64,
  as Map(LowCardinality(String), String), ai Map(LowCardinality(String), Int64),
  ad Map(LowCardinality(String), Float64), ab Map(LowCardinality(String), UInt8),
  rs Map(LowCardinality(String), String), ri Map(LowCardinality(String), Int64),
  event_ns Array(Int64), event_name Array(LowCardinality(String)), event_attributes Array(String),
  exception_type Array(LowCardinality(String)), exception_message Array(String)`;

/** Writes the spans as ClickHouse Native files of {@link blockRows} rows, once; returns their paths in order. */
export function makeDataset(folder: string, spans: number): string[] {
  const blocks = Math.ceil(spans / blockRows);
  const paths = Array.from({ length: blocks }, (_, i) => join(folder, `canonical-${i}.native`));
  if (existsSync(join(folder, `done-${spans}`))) return paths;
  mkdirSync(folder, { recursive: true });
  const session = openEngine(join(folder, 'engine'));
  const lines: string[] = [];
  let block = 0;
  const json = join(folder, 'block.jsonl');
  for (const request of spanRequests({
    seed: 7,
    spans: spans + blockRows,
    startTime: datasetStart,
    traceIntervalNs,
    requestSpans: 512,
  })) {
    for (const span of request.spans) lines.push(line(request, span));
    while (lines.length >= blockRows && block < blocks) {
      writeFileSync(json, lines.splice(0, blockRows).join('\n'));
      session.query(`INSERT INTO FUNCTION file('${paths[block]}', Native)
        SELECT * EXCEPT (time_ns, trace, span, parent, event_ns), fromUnixTimestamp64Nano(time_ns, 'UTC') AS time,
          toFixedString(unhex(trace), 16) AS trace_id, toFixedString(unhex(span), 8) AS span_id,
          toFixedString(unhex(parent), 8) AS parent_span_id,
          arrayMap(t -> fromUnixTimestamp64Nano(t, 'UTC'), event_ns) AS event_time
        FROM file('${json}', JSONEachRow, '${structure}') SETTINGS engine_file_truncate_on_insert = 1`);
      block++;
    }
    if (block === blocks) break;
  }
  session.close();
  rmSync(json, { force: true });
  writeFileSync(join(folder, `done-${spans}`), '');
  return paths;
}

function line({ resource, service }: SpanRequest, span: Span): string {
  const [as, ai, ad, ab] = byType(span.attributes);
  const [rs, ri] = byType(resource);
  const event = span.exception;
  return JSON.stringify({
    time_ns: String(span.startTime),
    duration: span.durationNs,
    trace: span.traceId,
    span: span.spanId,
    parent: span.parentSpanId,
    name: span.name,
    kind: span.kind,
    service,
    status_code: span.statusCode,
    scope_name: span.scope,
    resource_id: resourceId(resource),
    as,
    ai,
    ad,
    ab,
    rs,
    ri,
    event_ns: event === null ? [] : [String(span.startTime + BigInt(event.timeOffsetNs))],
    event_name: event === null ? [] : ['exception'],
    event_attributes:
      event === null
        ? []
        : [JSON.stringify({ type: event.type, message: event.message, stacktrace: event.stacktrace })],
    exception_type: event === null ? [] : [event.type],
    exception_message: event === null ? [] : [event.message],
  });
}

function byType(attributes: Attribute[]): [string: object, int: object, double: object, bool: object] {
  const pick = (type: Attribute['type']) =>
    Object.fromEntries(
      attributes
        .filter((attribute) => attribute.type === type)
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ key, value }) => [key, type === 'bool' ? Number(value) : value]),
    );
  return [pick('string'), pick('int'), pick('double'), pick('bool')];
}

const ids = new WeakMap<Attribute[], string>();
function resourceId(resource: Attribute[]): string {
  let id = ids.get(resource);
  if (id === undefined) {
    id = String(createHash('sha1').update(JSON.stringify(resource)).digest().readBigUInt64LE());
    ids.set(resource, id);
  }
  return id;
}
