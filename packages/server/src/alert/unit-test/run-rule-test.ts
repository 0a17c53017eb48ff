import { formatPromqlDuration } from '@signalbox/query-language';
import { PromqlEngine } from '../../query/promql/engine.ts';
import { formatGo } from '../../query/promql/format-go.ts';
import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import { Labels } from '../../query/promql/labels.ts';
import { MemorySeries } from '../../query/promql/memory-series.ts';
import type { FeatureOptions } from '../../query/promql/promql-features.ts';
import { ruleQuery } from '../rules/promql-rule-query.ts';
import type { RuleFile } from '../rules/rule-file.ts';
import { RuleGroup } from '../rules/rule-group.ts';
import type { AlertTest, ExpectedAlert, ExpectedSample, ExpressionTest, RuleTest, RuleTestFile } from './test-file.ts';

/**
 * Runs a test: evaluates all groups from its start at the file's interval, compares alerts as they come along and expressions at
 * the end. As in Prometheus's own tool, the intervals of groups do not count, and an evaluation sees the samples up to its time.
 *
 * @returns what is not as it should be, in words; empty when the test passes
 */
export async function runRuleTest(
  test: RuleTest,
  { evaluationIntervalMs, groupOrder, isFuzzy }: RuleTestFile,
  ruleFiles: ReadonlyMap<string, RuleFile>,
  features: FeatureOptions,
): Promise<string[]> {
  const world = new MemorySeries();
  const engine = new PromqlEngine(world, { ...features, defaultSubqueryStepMs: evaluationIntervalMs });
  const query = ruleQuery(() => engine);
  const { externalLabels, externalUrl, startMs } = test;
  const groups = Array.from(ruleFiles)
    .flatMap(([path, file]) =>
      file.groups.map(
        (group) =>
          new RuleGroup(path, group, {
            query,
            write: async (samples) => {
              for (const { labels, timeMs, value } of samples) world.add(Labels.from(labels), [{ timeMs, value }]);
            },
            defaultIntervalMs: evaluationIntervalMs,
            externalLabels,
            externalUrl,
          }),
      ),
    )
    .map((group) => ({ group, place: groupOrder.indexOf(group.definition.name) }))
    .sort((a, b) => a.place - b.place)
    .map(({ group }) => group);
  const loader = new SampleLoader(world, test.series);
  const lastMs = Math.max(0, ...[...test.alertTests, ...test.expressionTests].map(({ afterMs }) => afterMs));
  const failures: string[] = [];
  for (let afterMs = 0; afterMs <= lastMs; afterMs += evaluationIntervalMs) {
    loader.loadUntil(startMs + afterMs);
    const broken = await evaluate(groups, startMs + afterMs, afterMs);
    if (broken.length > 0) return [...failures, ...broken];
    const due = test.alertTests.filter((one) => one.afterMs >= afterMs && one.afterMs < afterMs + evaluationIntervalMs);
    failures.push(...due.flatMap((one) => compareAlerts(one, groups)));
  }
  loader.loadUntil(startMs + lastMs);
  for (const one of test.expressionTests) {
    failures.push(...(await compareSamples(one, query, startMs + one.afterMs, isFuzzy)));
  }
  return failures;
}

/** Puts series into the world up to a time that grows. */
class SampleLoader {
  readonly #world: MemorySeries;
  readonly #series: { readonly of: RuleTest['series'][number]; loaded: number }[];

  constructor(world: MemorySeries, series: RuleTest['series']) {
    this.#world = world;
    this.#series = series.map((of) => ({ of, loaded: 0 }));
  }

  loadUntil(timeMs: number): void {
    for (const series of this.#series) {
      const { labels, samples } = series.of;
      let end = series.loaded;
      while (end < samples.length && (samples[end]?.timeMs ?? 0) <= timeMs) end++;
      if (end > series.loaded) this.#world.add(labels, samples.slice(series.loaded, end));
      series.loaded = end;
    }
  }
}

async function evaluate(groups: readonly RuleGroup[], timeMs: number, afterMs: number): Promise<string[]> {
  const failures: string[] = [];
  for (const group of groups) {
    await group.evaluate(timeMs);
    for (const { rule, status } of group.rules) {
      if (status.health !== 'err') continue;
      failures.push(`rule: ${rule.definition.name}, time: ${formatPromqlDuration(afterMs)}, err: ${status.lastError}`);
    }
  }
  return failures;
}

function compareAlerts({ alertName, afterMs, expected }: AlertTest, groups: readonly RuleGroup[]): string[] {
  const firing = groups
    .flatMap((group) => group.alertingRules)
    .filter((rule) => rule.definition.name === alertName)
    .flatMap((rule) => rule.alerts.filter(({ state }) => state === 'firing'))
    .map(({ labels, annotations }) => ({ labels: Labels.from(labels), annotations: Labels.from(annotations) }));
  const got = describeAlerts(firing);
  const wanted = describeAlerts(expected);
  if (got === wanted) return [];
  return [`alertname: ${alertName}, time: ${formatPromqlDuration(afterMs)},\n  exp: ${wanted}\n  got: ${got}`];
}

function describeAlerts(alerts: readonly ExpectedAlert[]): string {
  const texts = [...alerts]
    .sort((a, b) => a.labels.compare(b.labels) || a.annotations.compare(b.annotations))
    .map(({ labels, annotations }) => `\n    labels: ${labels}\n    annotations: ${annotations}`);
  return texts.length === 0 ? 'none' : texts.join('');
}

async function compareSamples(
  { expression, afterMs, expected }: ExpressionTest,
  query: ReturnType<typeof ruleQuery>,
  timeMs: number,
  isFuzzy: boolean,
): Promise<string[]> {
  const where = `expr: ${JSON.stringify(expression)}, time: ${formatPromqlDuration(afterMs)},`;
  let got: ExpectedSample[];
  try {
    const result = await query(expression, timeMs);
    got = result.map(({ labels, value }) => ({ labels: Labels.from(labels), value }));
  } catch (error) {
    return [`${where} err: ${error instanceof Error ? error.message : String(error)}`];
  }
  const byLabels = (a: ExpectedSample, b: ExpectedSample) => a.labels.compare(b.labels);
  const wanted = [...expected].sort(byLabels);
  got.sort(byLabels);
  const isSame =
    got.length === wanted.length &&
    got.every(({ labels, value }, index) => {
      const other = wanted[index] as ExpectedSample;
      return labels.key === other.labels.key && isSameValue(value, other.value, isFuzzy);
    });
  return isSame ? [] : [`${where}\n  exp: ${describeSamples(wanted)}\n  got: ${describeSamples(got)}`];
}

function isSameValue(a: number | FloatHistogram, b: number | FloatHistogram, isFuzzy: boolean): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Object.is(a, b) || a === b) return true;
    return isFuzzy && areNeighbours(a, b);
  }
  return typeof a === 'object' && typeof b === 'object' && a.equals(b) && a.resetHint === b.resetHint;
}

/** Whether no number lies between the two. */
function areNeighbours(a: number, b: number): boolean {
  const view = new DataView(new ArrayBuffer(16));
  view.setFloat64(0, a);
  view.setFloat64(8, b);
  const distance = view.getBigInt64(0) - view.getBigInt64(8);
  return Number.isFinite(a) && Number.isFinite(b) && distance >= -1n && distance <= 1n;
}

function describeSamples(samples: readonly ExpectedSample[]): string {
  const texts = samples.map(({ labels, value }) => {
    const text = typeof value === 'number' ? formatGo(value) : `${value} (counter reset: ${value.resetHint})`;
    return `\n    ${labels} ${text}`;
  });
  return texts.length === 0 ? 'nothing' : texts.join('');
}
