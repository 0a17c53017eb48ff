import { type Call, childrenOf, compileMatcher, type Expr, type LabelMatcher } from '@signalbox/query-language';
import type { Evaluation } from '../evaluation.ts';
import { lookupTime } from '../instant-vectors.ts';
import { Labels, METRIC_NAME } from '../labels.ts';
import { executionError } from '../promql-error.ts';
import type { Queryable } from '../queryable.ts';
import { Kind, StepSeries, type StepVector } from '../step-vector.ts';
import { endOf } from '../steps.ts';

/** Labels by which a series and an info metric belong together. */
const IDENTIFYING = ['instance', 'job'];

/** The last sample of an info metric at a step. */
interface InfoSeries {
  readonly labels: Labels;
  /** Time of the sample at each step, in ms; NaN: none. */
  readonly times: Float64Array;
}

/**
 * info(v, {selector}): adds to each series the labels of the info metrics (target_info, unless the selector names others) of
 * the same job and instance.
 */
export async function combineWithInfo(
  call: Call,
  vector: StepVector,
  evaluation: Evaluation,
  queryable: Queryable,
  signal: AbortSignal | undefined,
): Promise<StepVector> {
  const [argument, selector] = call.args;
  const matchers = selector?.kind === 'vectorSelector' ? selector.matchers : [];
  const dataMatchers = matchers.filter(({ name }) => name !== METRIC_NAME);
  const nameMatchers = infoNameMatchers(matchers.filter(({ name }) => name === METRIC_NAME));
  const isInfoName = nameMatchers.map(compileMatcher);
  const isInfo = (series: StepSeries) => isInfoName.every((matches) => matches(series.labels.metricName));
  const base = vector.filter((series) => !isInfo(series));
  const identifying = IDENTIFYING.flatMap((name): LabelMatcher[] => {
    const values = new Set(base.map(({ labels }) => labels.get(name)).filter((value) => value !== ''));
    return values.size > 0 ? [{ name, operator: '=~', value: [...values].map(escapeExpression).join('|') }] : [];
  });
  const infos =
    identifying.length === 0
      ? []
      : await selectInfo(argument, [...identifying, ...dataMatchers, ...nameMatchers], evaluation, queryable, signal);
  return combine(vector, isInfo, infos, dataMatchers, evaluation);
}

function infoNameMatchers(given: readonly LabelMatcher[]): readonly LabelMatcher[] {
  if (given.some(({ operator }) => operator === '=' || operator === '=~')) return given;
  if (given.length > 0) return [{ name: METRIC_NAME, operator: '=~', value: '.+_info' }, ...given];
  return [{ name: METRIC_NAME, operator: '=', value: 'target_info' }];
}

async function selectInfo(
  argument: Expr,
  matchers: readonly LabelMatcher[],
  evaluation: Evaluation,
  queryable: Queryable,
  signal: AbortSignal | undefined,
): Promise<InfoSeries[]> {
  const { steps, lookbackMs } = evaluation;
  // Info metrics are looked up at the time of the first selector of the argument.
  const { at, offsetMs } = firstTime(argument) ?? { at: undefined, offsetMs: 0 };
  const timeAt = (step: number) => lookupTime({ at, offsetMs } as Parameters<typeof lookupTime>[0], evaluation, step);
  const startMs = (at ?? steps.startMs) - offsetMs - lookbackMs + 1;
  const endMs = (at ?? endOf(steps)) - offsetMs;
  const hints = { stepMs: steps.stepMs, rangeMs: 0, function: 'info', histogramStats: false };
  const selected = await queryable.select({ matchers, startMs, endMs, hints }, signal);
  return selected.map((series) => {
    const times = new Float64Array(steps.count).fill(Number.NaN);
    let sample = -1;
    for (let step = 0; step < steps.count; step++) {
      const time = timeAt(step);
      while (sample + 1 < series.times.length && series.times[sample + 1] <= time) sample++;
      if (sample < 0 || series.times[sample] <= time - lookbackMs || series.stale?.[sample] === 1) continue;
      if (series.histograms?.[sample])
        throw executionError(`this should be an info metric, with float samples: ${series.labels}`);
      times[step] = series.times[sample];
    }
    return { labels: series.labels, times };
  });
}

function firstTime(expr: Expr, offset = 0, at?: number): { at: number | undefined; offsetMs: number } | undefined {
  if (expr.kind === 'vectorSelector') {
    return {
      at: (expr.at as number | undefined) ?? at,
      offsetMs: expr.offsetMs + (expr.at === undefined ? offset : 0),
    };
  }
  const isSubquery = expr.kind === 'subquery';
  for (const child of childrenOf(expr)) {
    const found = firstTime(
      child,
      isSubquery && at === undefined ? offset + expr.offsetMs : offset,
      isSubquery ? ((expr.at as number | undefined) ?? at) : at,
    );
    if (found) return found;
  }
  return undefined;
}

function combine(
  vector: StepVector,
  isInfo: (series: StepSeries) => boolean,
  infos: readonly InfoSeries[],
  dataMatchers: readonly LabelMatcher[],
  evaluation: Evaluation,
): StepVector {
  const identity = new Set(IDENTIFYING);
  const wanted = new Set(dataMatchers.map(({ name }) => name));
  const matchesEmpty = dataMatchers.every((matcher) => compileMatcher(matcher)(''));
  const byIdentity = new Map<string, InfoSeries[]>();
  for (const info of infos) {
    const { key } = info.labels.only(identity);
    byIdentity.set(key, [...(byIdentity.get(key) ?? []), info]);
  }
  const results = new Map<string, StepSeries>();
  for (const series of vector) {
    const candidates = isInfo(series) ? [] : (byIdentity.get(series.labels.only(identity).key) ?? []);
    for (let step = 0; step < evaluation.steps.count; step++) {
      if (series.kinds[step] === Kind.None) continue;
      let { labels } = series;
      if (!isInfo(series)) {
        const newest = newestByName(candidates, step);
        if (newest.length === 0 && !matchesEmpty) continue;
        labels = withInfoLabels(labels, newest, wanted);
      }
      let result = results.get(labels.key);
      if (!result) {
        result = new StepSeries(labels, evaluation.steps.count, series.dropsName);
        results.set(labels.key, result);
      }
      if (result.kinds[step] !== Kind.None)
        throw executionError('vector cannot contain metrics with the same labelset');
      result.set(step, series.at(step) as number);
    }
  }
  return [...results.values()];
}

/** Of each name, the info series whose sample is the newest. Throws when two are equally new. */
function newestByName(candidates: readonly InfoSeries[], step: number): InfoSeries[] {
  const newest = new Map<string, InfoSeries>();
  for (const info of candidates) {
    const time = info.times[step];
    if (Number.isNaN(time)) continue;
    const known = newest.get(info.labels.metricName);
    if (known && known.times[step] === time) {
      throw executionError(
        `found duplicate series for info metric: existing ${known.labels} @ ${known.times[step]}, new ${info.labels} @ ${time}`,
      );
    }
    if (!known || known.times[step] < time) newest.set(info.labels.metricName, info);
  }
  return [...newest.values()];
}

function withInfoLabels(labels: Labels, infos: readonly InfoSeries[], wanted: ReadonlySet<string>): Labels {
  const added = new Map<string, string>();
  for (const info of infos) {
    for (const [name, value] of info.labels.entries()) {
      if (name === METRIC_NAME || (wanted.size > 0 && !wanted.has(name))) continue;
      const known = added.get(name);
      if (known !== undefined && known !== value) throw executionError(`conflicting label: ${name}`);
      if (labels.get(name) === '') added.set(name, value);
    }
  }
  return added.size === 0 ? labels : Labels.from([...labels.entries(), ...added]);
}

function escapeExpression(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
