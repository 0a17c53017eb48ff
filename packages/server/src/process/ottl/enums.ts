/** The enum names of OTTL's contexts and their numbers, which are those of OTLP. */
export const ENUMS: ReadonlyMap<string, bigint> = new Map([
  ['SPAN_KIND_UNSPECIFIED', 0n],
  ['SPAN_KIND_INTERNAL', 1n],
  ['SPAN_KIND_SERVER', 2n],
  ['SPAN_KIND_CLIENT', 3n],
  ['SPAN_KIND_PRODUCER', 4n],
  ['SPAN_KIND_CONSUMER', 5n],
  ['STATUS_CODE_UNSET', 0n],
  ['STATUS_CODE_OK', 1n],
  ['STATUS_CODE_ERROR', 2n],
  ['SEVERITY_NUMBER_UNSPECIFIED', 0n],
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name, level) =>
    ['', '2', '3', '4'].map((suffix, i) => [`SEVERITY_NUMBER_${name}${suffix}`, BigInt(level * 4 + i + 1)] as const),
  ),
  ['METRIC_DATA_TYPE_NONE', 0n],
  ['METRIC_DATA_TYPE_GAUGE', 1n],
  ['METRIC_DATA_TYPE_SUM', 2n],
  ['METRIC_DATA_TYPE_HISTOGRAM', 3n],
  ['METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM', 4n],
  ['METRIC_DATA_TYPE_SUMMARY', 5n],
  ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 0n],
  ['AGGREGATION_TEMPORALITY_DELTA', 1n],
  ['AGGREGATION_TEMPORALITY_CUMULATIVE', 2n],
  ['FLAG_NONE', 0n],
  ['FLAG_NO_RECORDED_VALUE', 1n],
]);

/** The numbers 0 to 24 as ints, so that reading a kind or severity makes no new one. */
export const SMALL_INTS: readonly bigint[] = Array.from({ length: 25 }, (_, i) => BigInt(i));
