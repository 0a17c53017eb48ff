import type { QueryOptions } from '../connection.ts';

/** Limits of every query of a connection. */
export interface QueryLimits {
  /** Upper limit and default of the time one query works, in ms. */
  readonly maxExecutionMs: number;
  /** Default of the rows of one result. */
  readonly maxResultRows: number;
  /** Bytes of one result, as the engine counts them before it formats it. */
  readonly maxResultBytes: number;
  /** Bytes of memory that one query may use. */
  readonly maxMemoryBytes: number;
}

export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  maxExecutionMs: 30_000,
  maxResultRows: 100_000,
  maxResultBytes: 256 * 1024 * 1024,
  maxMemoryBytes: 1024 * 1024 * 1024,
};

export type QuerySettings = Record<string, string | number> & {
  /** Seconds. */
  max_execution_time: number;
};

/**
 * ClickHouse's settings of one query. Each query sets all of them, so that none has a value left by another.
 *
 * Results must be JSON that survives `JSON.parse`: 64-bit integers quoted (they don't fit in a double), NaN quoted.
 */
export function querySettings(limits: QueryLimits, options: QueryOptions): QuerySettings {
  const executionMs = Math.min(options.maxExecutionMs ?? limits.maxExecutionMs, limits.maxExecutionMs);
  return {
    max_execution_time: executionMs / 1000,
    timeout_overflow_mode: 'throw',
    max_result_rows: options.maxResultRows ?? limits.maxResultRows,
    max_result_bytes: limits.maxResultBytes,
    result_overflow_mode: 'throw',
    max_memory_usage: limits.maxMemoryBytes,
    max_bytes_before_external_group_by: Math.floor(limits.maxMemoryBytes / 2),
    max_bytes_before_external_sort: Math.floor(limits.maxMemoryBytes / 2),
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_denormals: 1,
    output_format_json_quote_decimals: 1,
  };
}
