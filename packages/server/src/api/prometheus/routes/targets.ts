import {
  compileMatcher,
  formatPromqlDuration,
  ParseError,
  type ParserOptions,
  parsePromqlSelector,
  quoteGo,
} from '@signalbox/query-language';
import { Labels } from '../../../query/promql/labels.ts';
import { listMetadata } from '../../../query/promql-store/list-metadata.ts';
import { nanoRange } from '../../../query/promql-store/nano-range.ts';
import { selectSeries } from '../../../query/promql-store/select-series.ts';
import type { SeriesCatalog } from '../../../query/promql-store/series-catalog.ts';
import type { QueryContext } from '../../../query/query-context.ts';
import type { ScrapePool, ScrapeTarget, ScrapeTargets } from '../../../query/scrape-targets.ts';
import {
  boolean,
  count,
  describeParameter,
  labels,
  listOf,
  metric,
  object,
  oneOf,
  required,
  scrapePool,
  text,
} from '../describe-route.ts';
import { showTime } from '../encode-json.ts';
import { invalidParameter, PrometheusError } from '../prometheus-error.ts';
import type { PrometheusParameters } from '../prometheus-parameters.ts';
import { get, type PrometheusRoute } from '../prometheus-route.ts';

const about = {
  targets: {
    summary: 'What is scraped, and how that goes.',
    parameters: [scrapePool, describeParameter('state', oneOf('active', 'dropped', 'any'), 'Only such targets.')],
    answers: object({
      activeTargets: listOf(object({ labels, scrapeUrl: text, health: text })),
      droppedTargets: listOf(object({})),
    }),
  },
  pools: { summary: 'The names of scrape pools.', answers: object({ scrapePools: listOf(text) }) },
  config: {
    summary: 'The settings of a scrape pool, without secrets.',
    parameters: [required(scrapePool, 'shop')],
    answers: object({ yaml: text }),
  },
  metadata: {
    summary: 'What is known of the metrics of targets.',
    parameters: [count, describeParameter('match_target', text, 'A selector of targets by their labels.'), metric],
    answers: listOf(object({ target: labels, type: text, help: text, unit: text })),
  },
  relabelSteps: {
    summary: 'Rule by rule, what becomes of a target of a scrape pool.',
    parameters: [
      required(scrapePool, 'shop'),
      required(describeParameter('labels', text, 'Labels of the target: an object of JSON.'), '{"__address__":"a:1"}'),
    ],
    answers: object({ steps: listOf(object({ rule: object({ action: text }), output: labels, keep: boolean })) }),
  },
};

/** What is scraped. */
export function targetRoutes(
  targets: ScrapeTargets,
  catalog: SeriesCatalog,
  parser: ParserOptions,
): readonly PrometheusRoute[] {
  return [
    get('targets', about.targets, async ({ parameters }) => {
      const pool = parameters.text('scrapePool');
      const state = parameters.text('state').toLowerCase();
      const shows = (kind: string): boolean => state === '' || state === 'any' || state === kind;
      const isWanted = (target: { readonly pool: string }): boolean => pool === '' || target.pool === pool;
      const dropped = shows('dropped') ? targets.dropped().filter(isWanted) : [];
      return {
        data: {
          activeTargets: shows('active') ? targets.active().filter(isWanted).map(showTarget) : [],
          droppedTargets: dropped.map(({ pool: scrapePool, discoveredLabels }) => ({
            discoveredLabels: Object.fromEntries(discoveredLabels.entries()),
            scrapePool,
          })),
          droppedTargetCounts: shows('dropped') ? countByPool(targets) : null,
        },
      };
    }),
    get('scrape_pools', about.pools, async () => ({
      data: { scrapePools: [...new Set(targets.pools().map(({ name }) => name))].sort() },
    })),
    get('scrape_pools/config', about.config, async ({ parameters }) => ({
      data: { yaml: findPool(targets, parameters).yaml },
    })),
    get('targets/metadata', about.metadata, async ({ parameters, context }) => {
      const limit = parameters.count('limit');
      const selector = parameters.text('match_target');
      const tests = selector === '' ? [] : readTargetMatchers(selector, parser);
      const metric = parameters.text('metric');
      const wanted = targets
        .active()
        .filter(({ labels }) => tests.every(({ name, matches }) => matches(labels.get(name))));
      const data: object[] = [];
      const known = wanted.length === 0 ? new Map() : await listMetadata(context, catalog);
      for (const { labels } of wanted) {
        if (limit >= 0 && data.length >= limit) break;
        const target = Object.fromEntries(labels.entries());
        for (const family of await familiesOf(context, catalog, labels, known.keys())) {
          if (metric !== '' && family !== metric) continue;
          const [{ type, help, unit }] = known.get(family) ?? [];
          data.push({ target, ...(metric === '' && { metric: family }), type, help, unit });
        }
      }
      return { data };
    }),
    get('targets/relabel_steps', about.relabelSteps, async ({ parameters }) => {
      if (parameters.text('scrapePool') === '') throw noPool();
      const text = parameters.text('labels');
      if (text === '') throw new PrometheusError('bad_data', 'no labels parameter provided');
      const labels = readLabels(text);
      return { data: { steps: findPool(targets, parameters).relabelSteps(labels).map(showStep) } };
    }),
  ];
}

function noPool(): PrometheusError {
  return new PrometheusError('bad_data', 'no scrapePool parameter provided');
}

/** The pool that the parameter `scrapePool` names. */
function findPool(targets: ScrapeTargets, parameters: PrometheusParameters): ScrapePool {
  const name = parameters.text('scrapePool');
  if (name === '') throw noPool();
  const pool = targets.pools().find((one) => one.name === name);
  if (pool !== undefined) return pool;
  throw new PrometheusError('bad_data', `error retrieving scrape config: scrape pool ${quoteGo(name)} not found`);
}

function showTarget(target: ScrapeTarget): object {
  return {
    discoveredLabels: Object.fromEntries(target.discoveredLabels.entries()),
    labels: Object.fromEntries(target.labels.entries()),
    scrapePool: target.pool,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError: target.lastError,
    lastScrape: showTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatPromqlDuration(target.intervalMs),
    scrapeTimeout: formatPromqlDuration(target.timeoutMs),
  };
}

function readTargetMatchers(
  selector: string,
  parser: ParserOptions,
): { readonly name: string; readonly matches: (value: string) => boolean }[] {
  try {
    const matchers = parsePromqlSelector(selector, parser);
    return matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
  } catch (error) {
    if (error instanceof ParseError) throw invalidParameter('match_target', error.message);
    throw error;
  }
}

/** Of all families those of which there are series of a target: with its job and its instance, lately. */
async function familiesOf(
  context: QueryContext,
  catalog: SeriesCatalog,
  target: Labels,
  all: Iterable<string>,
): Promise<string[]> {
  const matchers = ['job', 'instance'].map((name) => ({ name, operator: '=' as const, value: target.get(name) }));
  const range = nanoRange(context.nowMs - latelyMs, context.nowMs);
  const { series } = await selectSeries(context, catalog, matchers, range);
  const own = new Set(series.flatMap(({ members }) => members.map(({ family }) => family)));
  // Histograms and summaries that were scraped lie in the store as their series.
  return [...all].filter((family) => own.has(family) || own.has(`${family}_count`));
}

const latelyMs = 600_000;

/** A JSON object of texts. */
function readLabels(text: string): Labels {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PrometheusError('bad_data', `error parsing labels: ${(error as Error).message}`, { cause: error });
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value as object) : [];
  if (!isObject || !entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new PrometheusError('bad_data', 'error parsing labels: it must be an object of strings');
  }
  return Labels.from(entries);
}

function showStep({ rule, labels, keep }: ReturnType<ScrapePool['relabelSteps']>[number]): object {
  const { sourceLabels, separator, pattern, modulus, targetLabel, replacement, action } = rule;
  return {
    rule: {
      ...(sourceLabels.length > 0 && { source_labels: sourceLabels }),
      separator,
      regex: pattern,
      ...(modulus !== 0 && { modulus }),
      ...(targetLabel !== '' && { target_label: targetLabel }),
      replacement,
      action,
    },
    output: Object.fromEntries(labels.entries()),
    keep,
  };
}

/** How many targets relabelling dropped, by pools; 0 of those that have only others. */
function countByPool(targets: ScrapeTargets): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(targets.pools().map(({ name }) => [name, 0]));
  for (const { pool } of targets.dropped()) counts[pool] = (counts[pool] ?? 0) + 1;
  return counts;
}
