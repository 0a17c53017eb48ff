-- Which attributes log records have, so that a query of logs knows without reading any record what can be in the way of a label's name.
-- Written before the records themselves, once for each 6 hours, as resources are: a key that is missing here is on no record.

CREATE TABLE IF NOT EXISTS log_attribute_keys (
  -- Start of the 6 hours in which some record may have the attribute.
  time DateTime('UTC'),
  key String
) ENGINE = ReplacingMergeTree
PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
ORDER BY key
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_level_for_wide_part = 1;

INSERT INTO log_attribute_keys
SELECT DISTINCT
  toDateTime(toStartOfInterval(time, INTERVAL 6 HOUR), 'UTC') AS start,
  arrayJoin(arrayDistinct(arrayConcat(
    attributes_string.keys::Array(String), attributes_int.keys::Array(String), attributes_double.keys::Array(String),
    attributes_bool.keys::Array(String), attributes_other.keys::Array(String)))) AS key
FROM logs
SETTINGS throw_on_max_partitions_per_insert_block = 0;
