-- The first schema. Tables live in the current database of the connection. A statement ends with a semicolon at the end of a line,
-- and can be run again: an update that was cut short starts over.
--
-- Every table is partitioned by 6 hours of its rows' time, because retention and the size cap drop whole partitions.
-- fsync_after_insert: a row is acknowledged only when it would survive a power cut.
-- min_level_for_wide_part: an insert is one small file per column only after its first merge.
-- Layout, order, indexes and codecs were measured: docs/adr/0001-attribute-layout.md.
-- Attributes of a prefix p: p_string, p_int, p_double, p_bool hold the scalar types; p_other holds OTLP/JSON AnyValue
-- text of arrays, key-value lists, bytes and empty values.

CREATE TABLE IF NOT EXISTS resources (
  -- Start of the 6 hours in which some row refers to the resource.
  time DateTime('UTC'),
  -- First 8 bytes (little-endian) of the SHA-1 of the resource in canonical form.
  resource_id UInt64,
  service LowCardinality(String),
  resource_string Map(LowCardinality(String), String),
  resource_int Map(LowCardinality(String), Int64),
  resource_double Map(LowCardinality(String), Float64),
  resource_bool Map(LowCardinality(String), UInt8),
  resource_other Map(LowCardinality(String), String),
  dropped_attributes UInt32,
  schema_url LowCardinality(String)
) ENGINE = ReplacingMergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY resource_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS spans (
  -- Start of the span.
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  -- Nanoseconds; 0 when the end lies before the start.
  duration UInt64 CODEC(ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  -- Zeros: a root span.
  parent_span_id FixedString(8) CODEC(ZSTD(1)),
  trace_state String CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  name LowCardinality(String) CODEC(ZSTD(1)),
  -- Numbers of OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  kind UInt8 CODEC(ZSTD(1)),
  -- service.name of the resource.
  service LowCardinality(String) CODEC(ZSTD(1)),
  -- Numbers of OTLP: 0 unset, 1 ok, 2 error.
  status_code UInt8 CODEC(ZSTD(1)),
  status_message String CODEC(ZSTD(1)),
  scope_name LowCardinality(String) CODEC(ZSTD(1)),
  scope_version LowCardinality(String) CODEC(ZSTD(1)),
  -- OTLP/JSON KeyValue list, '' for none.
  scope_attributes String CODEC(ZSTD(1)),
  resource_id UInt64 CODEC(ZSTD(1)),
  attributes_string Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attributes_int Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
  attributes_double Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  attributes_bool Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
  attributes_other Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  dropped_attributes UInt32 CODEC(ZSTD(1)),
  dropped_events UInt32 CODEC(ZSTD(1)),
  dropped_links UInt32 CODEC(ZSTD(1)),
  -- One entry per event in each of the event_ columns.
  event_time Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
  event_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
  -- OTLP/JSON KeyValue list, '' for none.
  event_attributes Array(String) CODEC(ZSTD(1)),
  event_dropped Array(UInt32) CODEC(ZSTD(1)),
  -- exception.type and exception.message of the events that have either, in their order.
  exception_type Array(LowCardinality(String)) CODEC(ZSTD(1)),
  exception_message Array(String) CODEC(ZSTD(1)),
  -- One entry per link in each of the link_ columns.
  link_trace_id Array(FixedString(16)) CODEC(ZSTD(1)),
  link_span_id Array(FixedString(8)) CODEC(ZSTD(1)),
  link_trace_state Array(String) CODEC(ZSTD(1)),
  link_flags Array(UInt32) CODEC(ZSTD(1)),
  link_attributes Array(String) CODEC(ZSTD(1)),
  link_dropped Array(UInt32) CODEC(ZSTD(1)),
  INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX attributes_string_index mapValues(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (toStartOfFiveMinutes(time), service, name, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE IF NOT EXISTS logs (
  -- The record's time, or when it was observed if it has none.
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  observed_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  -- Zeros: none.
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  severity_number UInt8 CODEC(ZSTD(1)),
  severity_text LowCardinality(String) CODEC(ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  -- String bodies as they are, others as OTLP/JSON AnyValue text.
  body String CODEC(ZSTD(1)),
  -- Number of AttributeType (packages/records): 0 empty, 1 string, 2 bool, 3 int, 4 double, 5 array, 6 key-value list, 7 bytes.
  body_type UInt8 CODEC(ZSTD(1)),
  event_name LowCardinality(String) CODEC(ZSTD(1)),
  scope_name LowCardinality(String) CODEC(ZSTD(1)),
  scope_version LowCardinality(String) CODEC(ZSTD(1)),
  scope_attributes String CODEC(ZSTD(1)),
  resource_id UInt64 CODEC(ZSTD(1)),
  attributes_string Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attributes_int Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
  attributes_double Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  attributes_bool Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
  attributes_other Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  dropped_attributes UInt32 CODEC(ZSTD(1)),
  INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX attributes_string_index mapValues(attributes_string) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX body_index lower(body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (toStartOfFiveMinutes(time), service, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE IF NOT EXISTS series (
  -- Start of the 6 hours in which some point refers to the series.
  time DateTime('UTC'),
  metric_name LowCardinality(String),
  -- First 8 bytes (little-endian) of the SHA-1 of the series in canonical form.
  series_id UInt64,
  -- 1 gauge, 2 sum, 3 histogram, 4 exponential histogram, 5 summary.
  type UInt8,
  unit LowCardinality(String),
  description String,
  -- Numbers of OTLP: 0 unspecified, 1 delta, 2 cumulative.
  temporality UInt8,
  monotonic UInt8,
  service LowCardinality(String),
  scope_name LowCardinality(String),
  scope_version LowCardinality(String),
  scope_attributes String,
  resource_id UInt64,
  attributes_string Map(LowCardinality(String), String),
  attributes_int Map(LowCardinality(String), Int64),
  attributes_double Map(LowCardinality(String), Float64),
  attributes_bool Map(LowCardinality(String), UInt8),
  attributes_other Map(LowCardinality(String), String)
) ENGINE = ReplacingMergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS number_points (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  -- 1970-01-01: unknown.
  start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  -- Of an int point: its nearest double.
  value Float64 CODEC(Gorilla, ZSTD(1)),
  -- Of a double point: 0.
  int_value Int64 CODEC(Delta, ZSTD(1)),
  -- 0 double, 1 int, 2 no recorded value.
  value_type UInt8,
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS histogram_points (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Gorilla, ZSTD(1)),
  min Float64 CODEC(Gorilla, ZSTD(1)),
  max Float64 CODEC(Gorilla, ZSTD(1)),
  -- Bits: 1 has sum, 2 has min, 4 has max.
  presence UInt8,
  -- One longer than explicit_bounds, or both empty.
  bucket_counts Array(UInt64) CODEC(ZSTD(1)),
  explicit_bounds Array(Float64) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS exponential_histogram_points (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Gorilla, ZSTD(1)),
  min Float64 CODEC(Gorilla, ZSTD(1)),
  max Float64 CODEC(Gorilla, ZSTD(1)),
  -- Bits: 1 has sum, 2 has min, 4 has max.
  presence UInt8,
  scale Int32 CODEC(ZSTD(1)),
  zero_count UInt64 CODEC(Delta, ZSTD(1)),
  zero_threshold Float64 CODEC(ZSTD(1)),
  positive_offset Int32 CODEC(ZSTD(1)),
  positive_counts Array(UInt64) CODEC(ZSTD(1)),
  negative_offset Int32 CODEC(ZSTD(1)),
  negative_counts Array(UInt64) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS summary_points (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Gorilla, ZSTD(1)),
  -- Quantiles (0 to 1) and their values, as many of each.
  quantiles Array(Float64) CODEC(ZSTD(1)),
  quantile_values Array(Float64) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

CREATE TABLE IF NOT EXISTS exemplars (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  -- The exemplar's own time.
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(ZSTD(1)),
  -- Zeros: none.
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  -- Filtered attributes as OTLP/JSON KeyValue list, '' for none.
  attributes String CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

-- Rate, errors and duration of every span received, per 10 seconds.
CREATE TABLE IF NOT EXISTS red (
  time DateTime('UTC') CODEC(Delta, ZSTD(1)),
  service LowCardinality(String),
  name LowCardinality(String),
  kind UInt8,
  -- 1: a server, consumer or root span.
  entry UInt8,
  error UInt8,
  -- Spans, each weighing what head sampling says it stands for.
  count SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  -- Nanoseconds, weighted.
  duration_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  duration_max SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
  -- Bucket i counts (weighted) the durations of [2^(i/8), 2^((i+1)/8)) nanoseconds.
  buckets SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (service, name, kind, entry, error, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

-- Calls from a service to a service, database, cache, queue or external host, per 10 seconds.
CREATE TABLE IF NOT EXISTS edges (
  time DateTime('UTC') CODEC(Delta, ZSTD(1)),
  source LowCardinality(String),
  target LowCardinality(String),
  -- service, database, cache, messaging, external.
  target_type LowCardinality(String),
  error UInt8,
  count SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  duration_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  duration_max SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
  buckets SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (source, target, target_type, error, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;
