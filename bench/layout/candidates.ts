/** How an attribute is asked for in a layout; the names of the functions say what the SQL yields. */
export interface Lookup {
  string(key: string): string;
  int(key: string): string;
  stringExists(key: string): string;
}

/** How attributes are stored: the part that changes what is inserted. */
export interface Form {
  columns: string;
  /** The same columns from the canonical ones (`\`as\``, `ai`, `ad`, `ab` by type; `rs`, `ri` of the resource). */
  select: string;
  lookup: Lookup;
  /** SQL of the spans whose resource has this string attribute. */
  resource(key: string, value: string): string;
  keys: string;
}

export interface Candidate {
  form: Form;
  formName: string;
  orderBy: string;
  indexes: string[];
  settings: string[];
  /** Replaces column declarations, for codecs: name → declaration. */
  declare: Record<string, string>;
  /** Statements after CREATE TABLE spans, for materialized views. */
  extra: string[];
  /** SQL that narrows a trace id to its time, for candidates with a table for that. */
  traceTimes?: string;
}

const text = 'LowCardinality(String)';
const q = (value: string) => `'${value}'`;
const byResourceId = (key: string, value: string) =>
  `resource_id IN (SELECT resource_id FROM resources WHERE resource_string['${key}'] = '${value}')`;

const typedLookup: Lookup = {
  string: (key) => `attributes_string[${q(key)}]`,
  int: (key) => `attributes_int[${q(key)}]`,
  // Not mapContains: with an index on the map's values the engine would read keys and values for it.
  stringExists: (key) => `has(attributes_string.keys, ${q(key)})`,
};

function typedMaps(keyType: string, stringType = 'String'): Form {
  return {
    columns: `attributes_string Map(${keyType}, ${stringType}), attributes_int Map(${keyType}, Int64),
      attributes_double Map(${keyType}, Float64), attributes_bool Map(${keyType}, UInt8), attributes_other Map(${keyType}, String)`,
    select: `CAST(\`as\`, 'Map(${keyType}, ${stringType})') AS attributes_string, CAST(ai, 'Map(${keyType}, Int64)') AS attributes_int,
      CAST(ad, 'Map(${keyType}, Float64)') AS attributes_double, CAST(ab, 'Map(${keyType}, UInt8)') AS attributes_bool,
      CAST(map(), 'Map(${keyType}, String)') AS attributes_other`,
    lookup: typedLookup,
    resource: byResourceId,
    keys: `SELECT arrayJoin(attributes_string.keys) AS k, count() FROM spans GROUP BY k
      UNION ALL SELECT arrayJoin(attributes_int.keys) AS k, count() FROM spans GROUP BY k`,
  };
}

const typed = typedMaps(text);

export const forms: Record<string, Form> = {
  typed,
  'typed, plain keys': typedMaps('String'),
  'typed, resource inline': {
    ...typed,
    columns: `${typed.columns}, resource_string Map(${text}, String), resource_int Map(${text}, Int64)`,
    select: `${typed.select}, rs AS resource_string, ri AS resource_int`,
    resource: (key, value) => `resource_string['${key}'] = '${value}'`,
  },
  'one map': {
    columns: `attributes Map(${text}, String), attribute_types Map(${text}, UInt8)`,
    select: `CAST(mapConcat(\`as\`, mapApply((k, v) -> (k, toString(v)), ai), mapApply((k, v) -> (k, toString(v)), ad),
      mapApply((k, v) -> (k, if(v = 1, 'true', 'false')), ab)), 'Map(${text}, String)') AS attributes,
      CAST(mapConcat(mapApply((k, v) -> (k, toUInt8(3)), ai), mapApply((k, v) -> (k, toUInt8(4)), ad),
      mapApply((k, v) -> (k, toUInt8(2)), ab)), 'Map(${text}, UInt8)') AS attribute_types`,
    lookup: {
      string: (key) => `attributes[${q(key)}]`,
      int: (key) => `toInt64OrZero(attributes[${q(key)}])`,
      stringExists: (key) => `mapContains(attributes, ${q(key)})`,
    },
    resource: byResourceId,
    keys: 'SELECT arrayJoin(mapKeys(attributes)) AS k, count() FROM spans GROUP BY k',
  },
  JSON: {
    columns: 'attributes JSON(max_dynamic_paths = 128)',
    // Attribute names hold dots and are names, not paths: %2E keeps them flat, as ClickHouse's own escaping does.
    select: `concat('{', arrayStringConcat(arrayConcat(
        arrayMap((k, v) -> concat(toJSONString(replaceAll(toString(k), '.', '%2E')), ':', toJSONString(v)), mapKeys(\`as\`), mapValues(\`as\`)),
        arrayMap((k, v) -> concat(toJSONString(replaceAll(toString(k), '.', '%2E')), ':', toString(v)), mapKeys(ai), mapValues(ai)),
        arrayMap((k, v) -> concat(toJSONString(replaceAll(toString(k), '.', '%2E')), ':', if(v = floor(v), concat(toString(v), '.0'), toString(v))), mapKeys(ad), mapValues(ad)),
        arrayMap((k, v) -> concat(toJSONString(replaceAll(toString(k), '.', '%2E')), ':', if(v = 1, 'true', 'false')), mapKeys(ab), mapValues(ab))), ','), '}') AS attributes`,
    lookup: {
      string: (key) => `attributes.\`${key.replaceAll('.', '%2E')}\`.:String`,
      int: (key) => `attributes.\`${key.replaceAll('.', '%2E')}\`.:Int64`,
      stringExists: (key) => `attributes.\`${key.replaceAll('.', '%2E')}\`.:String IS NOT NULL`,
    },
    resource: byResourceId,
    keys: 'SELECT distinctJSONPaths(attributes) FROM spans',
  },
  // The same, in the wire form a writer could produce without printing JSON: a column per path and type.
  'JSON, flattened': {
    columns: 'attributes JSON(max_dynamic_paths = 128)',
    select: "CAST(attributes_text, 'JSON(max_dynamic_paths = 128)') AS attributes",
    lookup: typedLookup,
    resource: byResourceId,
    keys: 'SELECT distinctJSONPaths(attributes) FROM spans',
  },
  arrays: {
    columns: `attribute_keys Array(${text}), attribute_types Array(UInt8), attribute_texts Array(String), attribute_numbers Array(Float64)`,
    select: `arrayConcat(mapKeys(\`as\`), mapKeys(ai), mapKeys(ad), mapKeys(ab)) AS attribute_keys,
      arrayConcat(arrayMap(v -> toUInt8(1), mapValues(\`as\`)), arrayMap(v -> toUInt8(3), mapValues(ai)), arrayMap(v -> toUInt8(4), mapValues(ad)), arrayMap(v -> toUInt8(2), mapValues(ab))) AS attribute_types,
      arrayConcat(mapValues(\`as\`), arrayMap(v -> toString(v), mapValues(ai)), arrayMap(v -> '', mapValues(ad)), arrayMap(v -> '', mapValues(ab))) AS attribute_texts,
      arrayConcat(arrayMap(v -> 0., mapValues(\`as\`)), arrayMap(v -> toFloat64(v), mapValues(ai)), mapValues(ad), arrayMap(v -> toFloat64(v), mapValues(ab))) AS attribute_numbers`,
    lookup: {
      string: (key) => `attribute_texts[indexOf(attribute_keys, ${q(key)})]`,
      int: (key) => `attribute_numbers[indexOf(attribute_keys, ${q(key)})]`,
      stringExists: (key) => `has(attribute_keys, ${q(key)})`,
    },
    resource: byResourceId,
    keys: 'SELECT arrayJoin(attribute_keys) AS k, count() FROM spans GROUP BY k',
  },
};

const json = forms.JSON as Form;
const flattened = forms['JSON, flattened'] as Form;
flattened.select = json.select
  .replace(' AS attributes', '')
  .replace(/^concat/, 'CAST(concat')
  .concat(", 'JSON(max_dynamic_paths = 128)') AS attributes");
flattened.lookup = json.lookup;

const traceIndex = 'INDEX trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1';
const buckets = (count: number, zeroLevel: boolean): string[] => [
  "map_serialization_version = 'with_buckets'",
  `map_serialization_version_for_zero_level_parts = '${zeroLevel ? 'with_buckets' : 'basic'}'`,
  "map_buckets_strategy = 'constant'",
  `max_buckets_in_map = ${count}`,
  'map_buckets_min_avg_size = 0',
];

function candidate(formName: string, change: Partial<Candidate> = {}): Candidate {
  const form = forms[formName];
  if (form === undefined) throw new Error(`no form ${formName}`);
  return {
    form,
    formName,
    orderBy: 'service, name, time',
    indexes: [traceIndex],
    settings: [],
    declare: {},
    extra: [],
    ...change,
  };
}

const bucketed = buckets(8, false);

const chosen = {
  orderBy: 'toStartOfFiveMinutes(time), service, name, time',
  indexes: [traceIndex, 'INDEX string_values mapValues(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1'],
  settings: ["default_compression_codec = 'ZSTD(1)'", 'vertical_merge_algorithm_min_rows_to_activate = 1'],
  declare: { time: "time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1))" },
};

/** The groups that are compared; a candidate's name is unique over all groups. */
export const groups: Record<string, Record<string, Candidate>> = {
  layout: {
    'typed maps': candidate('typed'),
    'typed maps, plain String keys': candidate('typed, plain keys'),
    'typed maps, 4 buckets': candidate('typed', { settings: buckets(4, false) }),
    'typed maps, 8 buckets': candidate('typed', { settings: bucketed }),
    'typed maps, 16 buckets': candidate('typed', { settings: buckets(16, false) }),
    'typed maps, 8 buckets from the first part': candidate('typed', { settings: buckets(8, true) }),
    'typed maps, resource inline': candidate('typed, resource inline'),
    'one map and type tags': candidate('one map'),
    JSON: candidate('JSON'),
    'JSON, inserted as columns': candidate('JSON, flattened'),
    'parallel arrays': candidate('arrays'),
  },
  part: {
    'wide from 10 MB (default)': candidate('typed', { settings: ['min_level_for_wide_part = 0'] }),
    'compact when inserted': candidate('typed'),
    'wide from 100 MB': candidate('typed', { settings: ['min_bytes_for_wide_part = 104857600'] }),
    'wide from 1 GB': candidate('typed', { settings: ['min_bytes_for_wide_part = 1073741824'] }),
    'no fsync': candidate('typed', { settings: ['fsync_after_insert = 0'] }),
    'horizontal merges': candidate('typed', { settings: ['enable_vertical_merge_algorithm = 0'] }),
    'granules of 32,768 rows': candidate('typed', { settings: ['index_granularity = 32768'] }),
    'resource inline, wide when inserted': candidate('typed, resource inline', {
      settings: ['min_level_for_wide_part = 0'],
    }),
  },
  order: {
    'service, name, time': candidate('typed'),
    'service, time': candidate('typed', { orderBy: 'service, time' }),
    time: candidate('typed', { orderBy: 'time' }),
    '5 min, service, name, time': candidate('typed', { orderBy: 'toStartOfFiveMinutes(time), service, name, time' }),
    '5 min, service, time': candidate('typed', { orderBy: 'toStartOfFiveMinutes(time), service, time' }),
    'hour, service, name, time': candidate('typed', { orderBy: 'toStartOfHour(time), service, name, time' }),
  },
  index: {
    'no index': candidate('typed', { indexes: [] }),
    'trace bloom 0.001': candidate('typed'),
    'trace bloom 0.01': candidate('typed', {
      indexes: ['INDEX trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1'],
    }),
    'trace time table': candidate('typed', {
      indexes: [],
      extra: [
        `CREATE TABLE traces (trace_id FixedString(16), start SimpleAggregateFunction(min, DateTime), end SimpleAggregateFunction(max, DateTime)) ENGINE = AggregatingMergeTree ORDER BY trace_id`,
        `CREATE MATERIALIZED VIEW traces_mv TO traces AS SELECT trace_id, min(toDateTime(time)) AS start, max(toDateTime(time)) AS end FROM spans GROUP BY trace_id`,
      ],
      traceTimes: 'SELECT min(start), max(end) FROM traces WHERE trace_id = ',
    }),
    'bloom on string values': candidate('typed', {
      indexes: [traceIndex, 'INDEX a mapValues(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1'],
    }),
    'bloom on string keys': candidate('typed', {
      indexes: [traceIndex, 'INDEX a mapKeys(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1'],
    }),
    'text on string values': candidate('typed', {
      indexes: [traceIndex, "INDEX a mapValues(attributes_string) TYPE text(tokenizer = 'array')"],
    }),
    'minmax on time': candidate('typed', { indexes: [traceIndex, 'INDEX t time TYPE minmax GRANULARITY 1'] }),
    'minmax on duration': candidate('typed', { indexes: [traceIndex, 'INDEX d duration TYPE minmax GRANULARITY 1'] }),
  },
  codec: {
    'LZ4 everywhere': candidate('typed'),
    'ZSTD(1) everywhere': candidate('typed', { settings: ["default_compression_codec = 'ZSTD(1)'"] }),
    'LZ4, attributes_string ZSTD(1)': candidate('typed', {
      declare: { attributes_string: `attributes_string Map(${text}, String) CODEC(ZSTD(1))` },
    }),
    'LZ4, time Delta + ZSTD(1), ids NONE': candidate('typed', {
      declare: {
        time: "time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1))",
        span_id: 'span_id FixedString(8) CODEC(NONE)',
        trace_id: 'trace_id FixedString(16) CODEC(NONE)',
      },
    }),
  },
  final: {
    provisional: candidate('typed', {
      settings: ["default_compression_codec = 'ZSTD(1)'", 'min_level_for_wide_part = 0'],
    }),
    chosen: candidate('typed', chosen),
    'chosen, no index on values': candidate('typed', { ...chosen, indexes: [traceIndex] }),
    'chosen, service, name, time': candidate('typed', { ...chosen, orderBy: 'service, name, time' }),
    'chosen, 8 buckets': candidate('typed', { ...chosen, settings: [...chosen.settings, ...bucketed] }),
    'chosen, JSON': candidate('JSON, flattened', {
      ...chosen,
      indexes: [traceIndex],
      declare: { time: chosen.declare.time },
    }),
  },
  merge: {
    'vertical from 131,072 rows (default)': candidate('typed'),
    'vertical from 1 row': candidate('typed', { settings: ['vertical_merge_algorithm_min_rows_to_activate = 1'] }),
    'vertical from 1 row, 8 buckets': candidate('typed', {
      settings: ['vertical_merge_algorithm_min_rows_to_activate = 1', ...bucketed],
    }),
    'vertical from 1 row, JSON': candidate('JSON, flattened', {
      settings: ['vertical_merge_algorithm_min_rows_to_activate = 1'],
    }),
  },
};

export function columnsOf(form: Form, declare: Record<string, string>): string {
  const columns = `time DateTime64(9, 'UTC'); duration UInt64; trace_id FixedString(16); span_id FixedString(8);
    parent_span_id FixedString(8); trace_state String; flags UInt32; name ${text}; kind UInt8; service ${text};
    status_code UInt8; status_message String; scope_name ${text}; scope_version ${text}; scope_attributes String;
    resource_id UInt64; dropped_attributes UInt32; dropped_events UInt32; dropped_links UInt32;
    event_time Array(DateTime64(9, 'UTC')); event_name Array(${text}); event_attributes Array(String);
    event_dropped Array(UInt32); exception_type Array(${text}); exception_message Array(String);
    link_trace_id Array(FixedString(16)); link_span_id Array(FixedString(8)); link_trace_state Array(String);
    link_flags Array(UInt32); link_attributes Array(String); link_dropped Array(UInt32)`
    .split(';')
    .map((column) => column.trim());
  let all = [...columns, form.columns].join(',\n');
  for (const [name, declaration] of Object.entries(declare)) {
    const before = all.match(
      new RegExp(`(^|\\n|\\s)${name} (?:Map\\([^)]*\\)[^,]*, [A-Za-z0-9]+\\)|[A-Za-z0-9]+(?:\\([^)]*\\))?)`),
    )?.[0];
    if (before === undefined) throw new Error(`no column ${name}`);
    all = all.replace(before.trim(), declaration);
  }
  return all;
}

/** The select list that turns a canonical row into a row of the table. */
export function selectOf(form: Form): string {
  return `time, duration, trace_id, span_id, parent_span_id, '' AS trace_state, toUInt32(1) AS flags, name, kind, service,
    status_code, if(status_code = 2, 'failed', '') AS status_message, scope_name, toLowCardinality('1.0.0') AS scope_version,
    '' AS scope_attributes, resource_id, toUInt32(0) AS dropped_attributes, toUInt32(0) AS dropped_events,
    toUInt32(0) AS dropped_links, event_time, event_name, event_attributes,
    arrayMap(e -> toUInt32(0), event_name) AS event_dropped, exception_type, exception_message,
    CAST([], 'Array(FixedString(16))') AS link_trace_id, CAST([], 'Array(FixedString(8))') AS link_span_id,
    CAST([], 'Array(String)') AS link_trace_state, CAST([], 'Array(UInt32)') AS link_flags,
    CAST([], 'Array(String)') AS link_attributes, CAST([], 'Array(UInt32)') AS link_dropped, ${form.select}`;
}
