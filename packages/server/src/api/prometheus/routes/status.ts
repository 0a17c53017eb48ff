import { hostname } from 'node:os';
import { METRIC_NAME } from '../../../query/promql/labels.ts';
import { listBlocks, type MetricBlock } from '../../../query/promql-store/list-blocks.ts';
import { listSeries } from '../../../query/promql-store/list-series.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import { describeParameter, integer, listOf, mapOf, object, text } from '../describe-route.ts';
import { showTime } from '../encode-json.ts';
import { PrometheusError } from '../prometheus-error.ts';
import { readWhole } from '../prometheus-parameters.ts';
import { get, type PrometheusRoute } from '../prometheus-route.ts';

/** What the program tells of itself. */
export interface PrometheusStatus {
  readonly version: string;
  /** In ms since 1970. */
  readonly startedAtMs: number;
  /** Settings in force by their names, without secrets. */
  readonly settings: Readonly<Record<string, string>>;
  /** How long metric points are kept, as text. */
  readonly retention: string;
}

const statsSpanMs = 6 * 3_600_000;
const maxStatsLimit = 10_000;

const counted = listOf(object({ name: text, value: integer }));
const about = {
  buildinfo: {
    summary: 'The version of Prometheus whose API this is; the revision is the version of Signalbox.',
    answers: object({ version: text, revision: text }),
  },
  runtimeinfo: {
    summary: 'When the program began, and what it has to do with.',
    answers: object({ startTime: text, serverTime: text, hostname: text, storageRetention: text }),
  },
  flags: { summary: 'Settings in force, without secrets.', answers: mapOf(text) },
  config: { summary: 'Settings in force, without secrets, as YAML.', answers: object({ yaml: text }) },
  walreplay: {
    summary: 'How far the program has come with beginning: it answers nothing before.',
    answers: object({ min: integer, max: integer, current: integer }),
  },
  blocks: {
    summary: 'The partitions of the store, each as a block.',
    answers: object({ blocks: listOf(object({ ulid: text, minTime: integer, maxTime: integer, version: integer })) }),
  },
  tsdb: {
    summary: 'What there is most of, of the last six hours.',
    parameters: [describeParameter('limit', integer, 'Entries of each list.')],
    answers: object({
      headStats: object({ numSeries: integer, numLabelPairs: integer, minTime: integer, maxTime: integer }),
      seriesCountByMetricName: counted,
      labelValueCountByLabelName: counted,
      memoryInBytesByLabelName: counted,
      seriesCountByLabelValuePair: counted,
    }),
  },
};

export function statusRoutes(status: PrometheusStatus, catalog: SeriesCatalog): readonly PrometheusRoute[] {
  return [
    // Without `features`, by which clients tell Mimir from Prometheus.
    get('status/buildinfo', about.buildinfo, async () => ({
      data: {
        version: prometheusVersion,
        revision: status.version,
        branch: '',
        buildUser: '',
        buildDate: '',
        goVersion: '',
      },
    })),
    get('status/runtimeinfo', about.runtimeinfo, async ({ context }) => ({
      data: {
        startTime: showTime(status.startedAtMs),
        CWD: process.cwd(),
        hostname: hostname(),
        serverTime: showTime(context.nowMs),
        reloadConfigSuccess: true,
        lastConfigTime: showTime(status.startedAtMs),
        corruptionCount: 0,
        goroutineCount: 0,
        GOMAXPROCS: 0,
        GOMEMLIMIT: 0,
        GOGC: '',
        GODEBUG: '',
        storageRetention: status.retention,
      },
    })),
    get('status/flags', about.flags, async () => ({ data: status.settings })),
    get('status/config', about.config, async () => ({
      data: {
        yaml: Object.entries(status.settings)
          .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
          .join(''),
      },
    })),
    // Clients wait by it until the answers are whole: here they are from the first one on.
    get('status/walreplay', about.walreplay, async () => ({ data: { min: 0, max: 0, current: 0 } })),
    get('status/tsdb/blocks', about.blocks, async ({ context }) => ({
      data: { blocks: (await listBlocks(context)).map(showBlock) },
    })),
    get('status/tsdb', about.tsdb, async ({ parameters, context }) => {
      const asked = parameters.text('limit');
      const problem = (): Error => new PrometheusError('bad_data', 'limit must be a positive number');
      const limit = asked === '' ? 10 : readWhole(asked, 'Atoi', problem);
      if (limit < 1) throw problem();
      if (limit > maxStatsLimit) throw new PrometheusError('bad_data', `limit must not exceed ${maxStatsLimit}`);
      const range = { fromMs: context.nowMs - statsSpanMs, toMs: context.nowMs };
      const series = await listSeries(context, catalog, [], range);
      const names = new Map<string, number>();
      const values = new Map<string, Set<string>>();
      const pairs = new Map<string, number>();
      for (const labels of series) {
        for (const [name, value] of labels.entries()) {
          if (name === METRIC_NAME) names.set(value, (names.get(value) ?? 0) + 1);
          values.set(name, (values.get(name) ?? new Set()).add(value));
          pairs.set(`${name}=${value}`, (pairs.get(`${name}=${value}`) ?? 0) + 1);
        }
      }
      const bytes = ([name, all]: [string, Set<string>]): [string, number] => [name, [...all].join('').length];
      return {
        data: {
          headStats: {
            numSeries: series.length,
            numLabelPairs: pairs.size,
            chunkCount: 0,
            minTime: range.fromMs,
            maxTime: range.toMs,
          },
          seriesCountByMetricName: largest(names, limit),
          labelValueCountByLabelName: largest(new Map(Array.from(values, ([name, all]) => [name, all.size])), limit),
          memoryInBytesByLabelName: largest(new Map(Array.from(values, bytes)), limit),
          seriesCountByLabelValuePair: largest(pairs, limit),
        },
      };
    }),
  ];
}

/** A partition as a block of Prometheus's; the version is that of the JSON. */
function showBlock({ startMs, endMs, points, exponentialHistograms, series, merges }: MetricBlock): object {
  const ulid = ulidOf(startMs);
  return {
    ulid,
    minTime: startMs,
    maxTime: endMs,
    stats: {
      numSamples: points,
      numFloatSamples: points - exponentialHistograms,
      numHistogramSamples: exponentialHistograms,
      numSeries: series,
    },
    compaction: { level: merges + 1, sources: [ulid] },
    version: 1,
  };
}

const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Of the partition that begins then, always the same: a ULID is a time in ms, ten digits of it, and 16 that are drawn, here none. */
function ulidOf(timeMs: number): string {
  let digits = '';
  for (let rest = timeMs; digits.length < 10; rest = Math.floor(rest / 32)) digits = `${base32[rest % 32]}${digits}`;
  return digits.padEnd(26, '0');
}

function largest(counts: ReadonlyMap<string, number>, limit: number): { name: string; value: number }[] {
  return Array.from(counts, ([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
}

/** The Prometheus whose API and language this is: clients decide by it what they may ask. */
const prometheusVersion = '3.16.0';
