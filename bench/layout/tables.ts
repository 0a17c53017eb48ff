/** Candidates for the tables beside spans: how log bodies are indexed, and how metric points are ordered and coded. */
export interface TableGroup {
  /** Rows of block `number` of 20,000: a SELECT. */
  rows(block: number): string;
  /** Declarations of columns and indexes, ORDER BY and settings by candidate. */
  candidates: Record<string, { columns: string; orderBy: string }>;
  queries: Record<string, string>;
}

const text = 'LowCardinality(String)';
const words = `['connection','reset','by','peer','while','reading','upstream','cache','miss','for','key','retrying','request','after',
  'payment','declined','order','accepted','user','logged','in','slow','query','took','milliseconds','worker','started','queue','depth','timeout']`;
const log = (
  body: string,
) => `time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), service ${text}, severity_number UInt8, trace_id FixedString(16) CODEC(ZSTD(1)),
  body String CODEC(ZSTD(1)), attributes_string Map(${text}, String) CODEC(ZSTD(1))${body}`;
const logs = (body: string) => ({ columns: log(body), orderBy: 'service, time' });

const point = (time: string, value: string) =>
  `metric_name ${text}, series_id UInt64 CODEC(ZSTD(1)), time DateTime64(9, 'UTC') CODEC(${time}), start_time DateTime64(9, 'UTC') CODEC(${time}),
  value Float64 CODEC(${value}), int_value Int64 CODEC(Delta, ZSTD(1)), value_type UInt8, flags UInt32`;

export const tableGroups: Record<string, TableGroup> = {
  logs: {
    // Eight words from a skewed vocabulary, a number, a path and a request id: about 110 bytes.
    rows: (
      block,
    ) => `SELECT toDateTime64('2026-09-21 12:00:00', 9, 'UTC') + toIntervalMicrosecond(7200 * n + rand(1) % 7000) AS time,
      toLowCardinality(['gateway', 'checkout', 'payment', 'search', 'catalog'][1 + n % 5]) AS service,
      if(rand(2) % 30 = 0, 17, 9)::UInt8 AS severity_number, toFixedString(unhex(lower(hex(cityHash64(intDiv(n, 6)))) || hex(cityHash64(n))), 16) AS trace_id,
      concat(arrayStringConcat(arrayMap(i -> ${words}[1 + toUInt32(30 * pow(cityHash64(n, i) / 18446744073709551615., 2)) % 30], range(8)), ' '),
        ' /api/orders/', toString(cityHash64(n, 9) % 100000), ' in ', toString(cityHash64(n, 10) % 900), 'ms request_id=', lower(hex(cityHash64(n, 11)))) AS body,
      CAST(map('logger', 'http', 'tenant', concat('tenant-', toString(cityHash64(n, 12) % 300))), 'Map(${text}, String)') AS attributes_string
      FROM (SELECT number + ${block * 20_000} AS n FROM numbers(20000))`,
    candidates: {
      'no index': logs(''),
      'tokenbf_v1(8192, 3, 0)': logs(', INDEX b body TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1'),
      'tokenbf_v1(32768, 3, 0)': logs(', INDEX b body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1'),
      'ngrambf_v1(4, 32768, 2, 0)': logs(', INDEX b body TYPE ngrambf_v1(4, 32768, 2, 0) GRANULARITY 1'),
      text: logs(', INDEX b body TYPE text(tokenizer = splitByNonAlpha)'),
      'text of lower(body)': logs(', INDEX b lower(body) TYPE text(tokenizer = splitByNonAlpha)'),
    },
    queries: {
      'rare word': `SELECT count() FROM t WHERE hasToken(body, (SELECT lower(hex(cityHash64(654321, 11)))))`,
      'rare word, constant': `SELECT count() FROM t WHERE hasToken(body, '{rare}')`,
      'rare word, any case': `SELECT count() FROM t WHERE hasToken(lower(body), '{rare}')`,
      'common word': `SELECT count() FROM t WHERE hasToken(body, 'declined')`,
      'two words, newest 100': `SELECT time, service, body FROM t WHERE hasToken(body, 'declined') AND hasToken(body, 'timeout') ORDER BY time DESC LIMIT 100`,
      'two words, any case, newest 100': `SELECT time, service, body FROM t WHERE hasToken(lower(body), 'declined') AND hasToken(lower(body), 'timeout') ORDER BY time DESC LIMIT 100`,
      substring: `SELECT count() FROM t WHERE body LIKE '%orders/777%'`,
      'substring, any case': `SELECT count() FROM t WHERE body ILIKE '%ORDERS/777%'`,
      histogram: `SELECT toStartOfMinute(time) AS m, severity_number, count() FROM t GROUP BY m, severity_number`,
    },
  },
  points: {
    // 2,000 series of 40 metrics, a point every 15 s: half counters, a quarter smooth gauges, a quarter noisy ones.
    rows: (
      block,
    ) => `SELECT toLowCardinality(concat('metric.', toString(s % 40))) AS metric_name, cityHash64(s) AS series_id,
      toDateTime64('2026-09-21 12:00:00', 9, 'UTC') + toIntervalMillisecond(15000 * step + s % 997 + rand(1) % 3) AS time,
      toDateTime64('2026-09-21 11:59:00.123', 9, 'UTC') AS start_time,
      multiIf(s % 4 < 2, toFloat64(step * (s % 17)), s % 4 = 2, round(50 + 20 * sin(step / 20 + s), 2), randCanonical(2) * 100) AS value,
      if(s % 4 < 2, toInt64(step * (s % 17)), 0) AS int_value, (s % 4 < 2)::UInt8 AS value_type, toUInt32(0) AS flags
      FROM (SELECT number % 2000 AS s, intDiv(number + ${block * 20_000}, 2000) AS step FROM numbers(20000))`,
    candidates: {
      'metric, series, time; DoubleDelta, Gorilla': {
        columns: point('DoubleDelta, ZSTD(1)', 'Gorilla, ZSTD(1)'),
        orderBy: 'metric_name, series_id, time',
      },
      'metric, series, time; DoubleDelta, ZSTD': {
        columns: point('DoubleDelta, ZSTD(1)', 'ZSTD(1)'),
        orderBy: 'metric_name, series_id, time',
      },
      'metric, series, time; Delta, ZSTD': {
        columns: point('Delta, ZSTD(1)', 'ZSTD(1)'),
        orderBy: 'metric_name, series_id, time',
      },
      'metric, series, time; LZ4': { columns: point('LZ4', 'LZ4'), orderBy: 'metric_name, series_id, time' },
      'metric, time, series; DoubleDelta, Gorilla': {
        columns: point('DoubleDelta, ZSTD(1)', 'Gorilla, ZSTD(1)'),
        orderBy: 'metric_name, time, series_id',
      },
    },
    queries: {
      'one metric, an hour': `SELECT series_id, toStartOfMinute(time) AS m, max(value) FROM t WHERE metric_name = 'metric.7' AND time >= toDateTime64('2026-09-21 13:00:00', 9, 'UTC') AND time < toDateTime64('2026-09-21 14:00:00', 9, 'UTC') GROUP BY series_id, m`,
      'ten series, an hour': `SELECT series_id, time, value FROM t WHERE metric_name = 'metric.7' AND series_id IN (SELECT cityHash64(7 + 40 * number) FROM numbers(10)) AND time >= toDateTime64('2026-09-21 13:00:00', 9, 'UTC') AND time < toDateTime64('2026-09-21 14:00:00', 9, 'UTC')`,
    },
  },
};
