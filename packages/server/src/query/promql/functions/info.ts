import {
  type Call,
  childrenOf,
  compileMatcher,
  type Expr,
  type LabelMatcher,
  type TimeModifiers,
  typeOf,
} from '@signalbox/query-language';
import type { Evaluation } from '../evaluation.ts';
import { lookupTime } from '../instant-vectors.ts';
import { Labels, METADATA, METRIC_NAME } from '../labels.ts';
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
  const infos: InfoSeries[] = [];
  for (const identifying of identifyingMatchers(vector.filter((series) => !isInfo(series)))) {
    const all = [...identifying, ...dataMatchers, ...nameMatchers];
    infos.push(...(await selectInfo(argument, all, evaluation, queryable, signal)));
  }
  return combine(vector, isInfo, infos, dataMatchers, evaluation);
}

/** What finds the info series of all that is in the vector: one list for each choice of identifying labels that series have. */
function identifyingMatchers(vector: StepVector): LabelMatcher[][] {
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const { labels } of vector) {
    const present = IDENTIFYING.filter((name) => labels.get(name) !== '');
    if (present.length === 0) continue;
    const key = present.join();
    let group = groups.get(key);
    if (!group) {
      group = new Map(present.map((name) => [name, new Set()]));
      groups.set(key, group);
    }
    for (const name of present) group.get(name)?.add(labels.get(name));
  }
  return Array.from(groups.values(), (group) =>
    IDENTIFYING.map((name) => {
      const values = group.get(name);
      return values
        ? { name, operator: '=~', value: [...values].map(escapeExpression).join('|') }
        : { name, operator: '=', value: '' };
    }),
  );
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
  const { at, offsetMs } = sharedTime(argument) ?? { at: undefined, offsetMs: 0 };
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

/** The time that a selector names, with what the subqueries around it do to that. */
interface SelectorTime {
  readonly at: number | undefined;
  readonly offsetMs: number;
}

/**
 * The time that all vectors within the argument are of: info series are looked up there. Undefined where they are of different times, or
 * one comes from no selector: then it is that of the evaluation.
 */
export function sharedTime(argument: Expr): SelectorTime | undefined {
  let shared: SelectorTime | undefined;
  let isShared = true;
  visit(argument, { at: undefined, offsetMs: 0 });
  return isShared ? shared : undefined;

  /** Whether a selector is in it. `around`: what enclosing subqueries say. */
  function visit(expr: Expr, around: SelectorTime): boolean {
    const type = typeOf(expr);
    if (type !== 'vector' && type !== 'matrix') return false;
    if (expr.kind === 'vectorSelector') {
      const time = within(expr, around);
      if (shared && !isSameTime(shared, time)) isShared = false;
      shared ??= time;
      return true;
    }
    if (expr.kind === 'call' && expr.name === 'info') return visit(expr.args[0], around);
    const inner = expr.kind === 'subquery' ? within(expr, around) : around;
    let hasSelector = false;
    for (const child of childrenOf(expr)) if (visit(child, inner)) hasSelector = true;
    if (!hasSelector) isShared = false;
    return hasSelector;
  }
}

function within({ at, offsetMs }: TimeModifiers, around: SelectorTime): SelectorTime {
  return at === undefined ? { at: around.at, offsetMs: around.offsetMs + offsetMs } : { at: at as number, offsetMs };
}

function isSameTime(a: SelectorTime, b: SelectorTime): boolean {
  if (a.at === undefined || b.at === undefined) return a.at === b.at && a.offsetMs === b.offsetMs;
  return a.at - a.offsetMs === b.at - b.offsetMs;
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
      if (METADATA.has(name) || (wanted.size > 0 && !wanted.has(name))) continue;
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
