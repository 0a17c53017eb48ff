-- Points lie by quarters of an hour before they lie by series: a question about now, or about any moment, reads one quarter of
-- each series rather than all of it. Times and values as differences: smaller than DoubleDelta and Gorilla, and quicker to read.
-- Measured: docs/adr/0006-points-by-quarter.md.
--
-- A table is copied beside the old one and takes its place; all of it can be run again from the start. What columns hold is said
-- in 0001-initial.sql.

DROP TABLE IF EXISTS number_points_by_quarter SYNC;
CREATE TABLE number_points_by_quarter (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  value Float64 CODEC(Delta, ZSTD(1)),
  int_value Int64 CODEC(Delta, ZSTD(1)),
  value_type UInt8,
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, toStartOfFifteenMinutes(time), series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;
INSERT INTO number_points_by_quarter SELECT * FROM number_points SETTINGS throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES number_points AND number_points_by_quarter;
DROP TABLE number_points_by_quarter SYNC;

DROP TABLE IF EXISTS histogram_points_by_quarter SYNC;
CREATE TABLE histogram_points_by_quarter (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Delta, ZSTD(1)),
  min Float64 CODEC(Delta, ZSTD(1)),
  max Float64 CODEC(Delta, ZSTD(1)),
  presence UInt8,
  bucket_counts Array(UInt64) CODEC(ZSTD(1)),
  explicit_bounds Array(Float64) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, toStartOfFifteenMinutes(time), series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;
INSERT INTO histogram_points_by_quarter SELECT * FROM histogram_points SETTINGS throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES histogram_points AND histogram_points_by_quarter;
DROP TABLE histogram_points_by_quarter SYNC;

DROP TABLE IF EXISTS exponential_histogram_points_by_quarter SYNC;
CREATE TABLE exponential_histogram_points_by_quarter (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Delta, ZSTD(1)),
  min Float64 CODEC(Delta, ZSTD(1)),
  max Float64 CODEC(Delta, ZSTD(1)),
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
ORDER BY (metric_name, toStartOfFifteenMinutes(time), series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;
INSERT INTO exponential_histogram_points_by_quarter SELECT * FROM exponential_histogram_points SETTINGS throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES exponential_histogram_points AND exponential_histogram_points_by_quarter;
DROP TABLE exponential_histogram_points_by_quarter SYNC;

DROP TABLE IF EXISTS summary_points_by_quarter SYNC;
CREATE TABLE summary_points_by_quarter (
  metric_name LowCardinality(String),
  series_id UInt64 CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  count UInt64 CODEC(Delta, ZSTD(1)),
  sum Float64 CODEC(Delta, ZSTD(1)),
  quantiles Array(Float64) CODEC(ZSTD(1)),
  quantile_values Array(Float64) CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY (metric_name, toStartOfFifteenMinutes(time), series_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;
INSERT INTO summary_points_by_quarter SELECT * FROM summary_points SETTINGS throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES summary_points AND summary_points_by_quarter;
DROP TABLE summary_points_by_quarter SYNC;
