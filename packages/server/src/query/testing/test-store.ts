import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../store/clickhouse/migrate.ts';
import type { Connection } from '../../store/connection.ts';
import { openConnection } from '../../store/open-connection.ts';
import type { QueryContext } from '../query-context.ts';

/** Attributes as plain values: integers of the `bigint` type are int, numbers double, the rest as they are. */
export type TestAttributes = Readonly<Record<string, string | number | bigint | boolean | { other: string }>>;

export interface TestSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly duration?: bigint;
  readonly name?: string;
  readonly kind?: number;
  readonly service?: string;
  readonly status?: number;
  readonly statusMessage?: string;
  readonly attributes?: TestAttributes;
  readonly resource?: TestResource;
  readonly scope?: readonly [name: string, version: string, attributes?: string];
  readonly events?: readonly {
    time: bigint;
    name: string;
    attributes: string;
    exception?: readonly [string, string];
  }[];
  readonly links?: readonly { traceId: string; spanId: string; attributes: string }[];
}

export interface TestResource {
  readonly id: bigint;
  readonly attributes: TestAttributes;
}

export interface TestLog {
  readonly time: bigint;
  readonly service?: string;
  readonly severity?: number;
  readonly severityText?: string;
  readonly body?: string;
  readonly bodyType?: number;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly eventName?: string;
  readonly attributes?: TestAttributes;
  readonly resource?: TestResource;
}

export interface TestSeries {
  readonly id: bigint;
  readonly name: string;
  readonly time: bigint;
  readonly type: number;
  readonly unit?: string;
  readonly description?: string;
  readonly temporality?: number;
  readonly monotonic?: number;
  readonly service?: string;
  readonly attributes?: TestAttributes;
  readonly resource?: TestResource;
}

/** An embedded store with the real schema, and rows put there by small inserts: the tests of queries need no writers. */
export class TestStore {
  readonly connection: Connection;
  readonly #folder: string;

  static async open(): Promise<TestStore> {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-query-'));
    const connection = await openConnection({ kind: 'embedded', folder });
    await migrate(connection);
    return new TestStore(connection, folder);
  }

  private constructor(connection: Connection, folder: string) {
    this.connection = connection;
    this.#folder = folder;
  }

  async close(): Promise<void> {
    await this.connection.close(5_000);
    await rm(this.#folder, { recursive: true, force: true });
  }

  context(nowMs = Date.now()): QueryContext {
    return {
      connection: this.connection,
      signal: new AbortController().signal,
      deadlineMs: Date.now() + 20_000,
      nowMs,
    };
  }

  /** `columns`: names with the types of the rows' JSON; `select`: what of them goes into the table. */
  async insert(
    table: string,
    columns: Readonly<Record<string, string>>,
    rows: readonly object[],
    select: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (rows.length === 0) return;
    // An insert's text must stay below the engine's limit of 256 KiB.
    if (rows.length > 200) {
      for (let start = 0; start < rows.length; start += 200) {
        await this.insert(table, columns, rows.slice(start, start + 200), select);
      }
      return;
    }
    const names = Object.keys(columns);
    const structure = names.map((name) => `${name} ${columns[name]}`).join(', ');
    const json = rows.map((row) =>
      JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? value.toString() : value)),
    );
    await this.connection.command(
      `INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => select[name] ?? name).join(', ')} FROM format('JSONEachRow', '${structure}', {rows:String})`,
      { parameters: { rows: json.join('\n') } },
    );
  }

  async insertSpans(spans: readonly TestSpan[]): Promise<void> {
    await this.#insertResources(spans);
    await this.insert(
      'spans',
      {
        time: 'Int64',
        duration: 'UInt64',
        trace_id: 'String',
        span_id: 'String',
        parent_span_id: 'String',
        name: 'String',
        kind: 'UInt8',
        service: 'String',
        status_code: 'UInt8',
        status_message: 'String',
        scope_name: 'String',
        scope_version: 'String',
        scope_attributes: 'String',
        resource_id: 'UInt64',
        ...attributeTypes('attributes'),
        event_time: 'Array(Int64)',
        event_name: 'Array(String)',
        event_attributes: 'Array(String)',
        event_dropped: 'Array(UInt32)',
        exception_type: 'Array(String)',
        exception_message: 'Array(String)',
        link_trace_id: 'Array(String)',
        link_span_id: 'Array(String)',
        link_trace_state: 'Array(String)',
        link_flags: 'Array(UInt32)',
        link_attributes: 'Array(String)',
        link_dropped: 'Array(UInt32)',
      },
      spans.map((span) => {
        const events = span.events ?? [];
        const links = span.links ?? [];
        const exceptions = events.flatMap((event) => (event.exception === undefined ? [] : [event.exception]));
        return {
          time: span.time,
          duration: span.duration ?? 0n,
          trace_id: span.traceId,
          span_id: span.spanId,
          parent_span_id: span.parentSpanId ?? '',
          name: span.name ?? 'span',
          kind: span.kind ?? 1,
          service: span.service ?? 'test',
          status_code: span.status ?? 0,
          status_message: span.statusMessage ?? '',
          scope_name: span.scope?.[0] ?? '',
          scope_version: span.scope?.[1] ?? '',
          scope_attributes: span.scope?.[2] ?? '',
          resource_id: span.resource?.id ?? 0n,
          ...attributeMaps('attributes', span.attributes),
          event_time: events.map((event) => event.time),
          event_name: events.map((event) => event.name),
          event_attributes: events.map((event) => event.attributes),
          event_dropped: events.map(() => 0),
          exception_type: exceptions.map(([type]) => type),
          exception_message: exceptions.map(([, message]) => message),
          link_trace_id: links.map((link) => link.traceId),
          link_span_id: links.map((link) => link.spanId),
          link_trace_state: links.map(() => ''),
          link_flags: links.map(() => 0),
          link_attributes: links.map((link) => link.attributes),
          link_dropped: links.map(() => 0),
        };
      }),
      {
        time: nanos('time'),
        trace_id: 'unhex(trace_id)',
        span_id: 'unhex(span_id)',
        parent_span_id: 'unhex(parent_span_id)',
        event_time: `arrayMap(x -> ${nanos('x')}, event_time)`,
        link_trace_id: 'arrayMap(x -> toFixedString(unhex(x), 16), link_trace_id)',
        link_span_id: 'arrayMap(x -> toFixedString(unhex(x), 8), link_span_id)',
      },
    );
  }

  async insertLogs(logs: readonly TestLog[]): Promise<void> {
    await this.#insertResources(logs);
    await this.insert(
      'logs',
      {
        time: 'Int64',
        observed_time: 'Int64',
        trace_id: 'String',
        span_id: 'String',
        severity_number: 'UInt8',
        severity_text: 'String',
        service: 'String',
        body: 'String',
        body_type: 'UInt8',
        event_name: 'String',
        resource_id: 'UInt64',
        ...attributeTypes('attributes'),
      },
      logs.map((log) => ({
        time: log.time,
        observed_time: log.time,
        trace_id: log.traceId ?? '',
        span_id: log.spanId ?? '',
        severity_number: log.severity ?? 9,
        severity_text: log.severityText ?? '',
        service: log.service ?? 'test',
        body: log.body ?? '',
        body_type: log.bodyType ?? 1,
        event_name: log.eventName ?? '',
        resource_id: log.resource?.id ?? 0n,
        ...attributeMaps('attributes', log.attributes),
      })),
      {
        time: nanos('time'),
        observed_time: nanos('observed_time'),
        trace_id: 'unhex(trace_id)',
        span_id: 'unhex(span_id)',
      },
    );
  }

  async insertSeries(series: readonly TestSeries[]): Promise<void> {
    await this.#insertResources(series);
    await this.insert(
      'series',
      {
        time: 'UInt32',
        metric_name: 'String',
        series_id: 'UInt64',
        type: 'UInt8',
        unit: 'String',
        description: 'String',
        temporality: 'UInt8',
        monotonic: 'UInt8',
        service: 'String',
        resource_id: 'UInt64',
        ...attributeTypes('attributes'),
      },
      series.map((one) => ({
        time: partStart(one.time),
        metric_name: one.name,
        series_id: one.id,
        type: one.type,
        unit: one.unit ?? '',
        description: one.description ?? '',
        temporality: one.temporality ?? 0,
        monotonic: one.monotonic ?? 0,
        service: one.service ?? 'test',
        resource_id: one.resource?.id ?? 0n,
        ...attributeMaps('attributes', one.attributes),
      })),
    );
  }

  /** Rows of `red` and `edges`: `time` in seconds, durations in nanoseconds. */
  insertRed(
    rows: readonly {
      time: number;
      service: string;
      name: string;
      kind: number;
      entry: number;
      error: number;
      count: number;
      duration_sum: number;
      duration_max: number;
      buckets: Record<number, number>;
    }[],
  ): Promise<void> {
    return this.insert(
      'red',
      { time: 'UInt32', service: 'String', name: 'String', kind: 'UInt8', entry: 'UInt8', ...redTypes },
      rows,
    );
  }

  insertEdges(
    rows: readonly {
      time: number;
      source: string;
      target: string;
      target_type: string;
      error: number;
      count: number;
      duration_sum: number;
      duration_max: number;
      buckets: Record<number, number>;
    }[],
  ): Promise<void> {
    return this.insert(
      'edges',
      { time: 'UInt32', source: 'String', target: 'String', target_type: 'String', ...redTypes },
      rows,
    );
  }

  async #insertResources(
    records: readonly { readonly time: bigint; readonly resource?: TestResource; readonly service?: string }[],
  ): Promise<void> {
    const rows = records.flatMap(({ time, resource, service = 'test' }) =>
      resource === undefined
        ? []
        : [
            {
              time: partStart(time),
              resource_id: resource.id,
              service,
              ...attributeMaps('resource', resource.attributes),
            },
          ],
    );
    if (rows.length === 0) return;
    await this.insert(
      'resources',
      { time: 'UInt32', resource_id: 'UInt64', service: 'String', ...attributeTypes('resource') },
      rows,
    );
  }
}

const redTypes = {
  error: 'UInt8',
  count: 'Float64',
  duration_sum: 'Float64',
  duration_max: 'UInt64',
  buckets: 'Map(Int16, Float64)',
};

function nanos(sql: string): string {
  return `fromUnixTimestamp64Nano(${sql}, 'UTC')`;
}

function partStart(time: bigint): number {
  return Number(time / 21_600_000_000_000n) * 21_600;
}

function attributeTypes(prefix: string): Record<string, string> {
  return {
    [`${prefix}_string`]: 'Map(String, String)',
    [`${prefix}_int`]: 'Map(String, Int64)',
    [`${prefix}_double`]: 'Map(String, Float64)',
    [`${prefix}_bool`]: 'Map(String, UInt8)',
    [`${prefix}_other`]: 'Map(String, String)',
  };
}

function attributeMaps(prefix: string, attributes: TestAttributes = {}): Record<string, object> {
  const entries = Object.entries(attributes);
  // Not by assignment: a key may be `__proto__`.
  const map = (typed: (value: TestAttributes[string]) => boolean, shown: (value: TestAttributes[string]) => unknown) =>
    Object.fromEntries(entries.filter(([, value]) => typed(value)).map(([key, value]) => [key, shown(value)]));
  const same = (value: unknown): unknown => value;
  return {
    [`${prefix}_string`]: map((value) => typeof value === 'string', same),
    [`${prefix}_int`]: map((value) => typeof value === 'bigint', same),
    [`${prefix}_double`]: map(
      (value) => typeof value === 'number',
      (value) => (Number.isFinite(value) ? value : String(value)),
    ),
    [`${prefix}_bool`]: map((value) => typeof value === 'boolean', Number),
    [`${prefix}_other`]: map(
      (value) => typeof value === 'object',
      (value) => (value as { other: string }).other,
    ),
  };
}
