/** What the embedded engine may use. ClickHouse's own defaults are for a server that has the machine to itself. */
export interface EngineLimits {
  /** Bytes of memory of the whole engine. */
  readonly memoryBytes: number;
}

/**
 * The engine's configuration file.
 *
 * - Caches are small, because one developer's questions hit few parts; together they stay below a quarter of the memory. That of
 *   unpacked blocks serves only statements that ask for it: those that read points of metrics, which dashboards and rules repeat.
 * - Blocks of skip indexes stay unpacked: 18 MB of them lead to the spans of a trace among ten million, each time it is asked for.
 * - Two merge threads. The merge_tree settings below belong to that: by default ClickHouse only makes large merges
 *   while more than 8 of its 16 threads are free, which two threads never are.
 * - Merges join ten parts rather than five before they begin: a merge costs more per row than the insert, so each level less
 *   saves a good part of what a row costs in all, and a few more parts cost queries little (docs/benchmarks.md).
 * - Merges yield the processor to what someone waits for, inserts and queries (where the process may set it: CAP_SYS_NICE). They
 *   catch up within seconds; that they fall behind for good the engine itself prevents, by delaying inserts into many parts.
 * - Backups go wherever the person who runs the program says.
 */
export function engineConfig(folder: string, limits: EngineLimits): string {
  const cacheUnit = Math.max(16 * MIB, Math.floor(limits.memoryBytes / 32));
  return `<clickhouse>
  <max_server_memory_usage>${limits.memoryBytes}</max_server_memory_usage>
  <mark_cache_size>${cacheUnit * 2}</mark_cache_size>
  <index_mark_cache_size>${cacheUnit}</index_mark_cache_size>
  <index_uncompressed_cache_size>${cacheUnit}</index_uncompressed_cache_size>
  <primary_index_cache_size>${cacheUnit}</primary_index_cache_size>
  <query_condition_cache_size>${16 * MIB}</query_condition_cache_size>
  <compiled_expression_cache_size>${32 * MIB}</compiled_expression_cache_size>
  <uncompressed_cache_size>${cacheUnit * 2}</uncompressed_cache_size>
  <os_threads_nice_value_merge_mutate>10</os_threads_nice_value_merge_mutate>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>2</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <logger><level>none</level></logger>
  <backups><allowed_path>/</allowed_path></backups>
  <tmp_path>${escapeXml(folder)}/tmp/</tmp_path>
  <merge_tree>
    <merge_selector_base>10</merge_selector_base>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
`;
}

const MIB = 1024 * 1024;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
