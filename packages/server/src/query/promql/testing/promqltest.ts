import { type Expr, parsePromql, parsePromqlDuration, printPromql } from '@signalbox/query-language';
import { type EngineOptions, PromqlEngine, type QueryResult, type QueryValue } from '../engine.ts';
import { formatGo } from '../format-go.ts';
import { CUSTOM_BUCKETS_SCHEMA } from '../histogram/bucket-bounds.ts';
import { FloatHistogram } from '../histogram/float-histogram.ts';
import { type Labels, METRIC_NAME } from '../labels.ts';
import type { MemorySample } from '../memory-series.ts';
import type { Queryable } from '../queryable.ts';
import { type DescribedValue, parseMetricLabels, parseNumber, parseSeriesDescription } from '../series-description.ts';

/** Where a script's samples go, and where its queries find them. */
export interface TestStorage {
  readonly queryable: Queryable;
  /** Rejects or throws when it can't keep them. */
  add(series: readonly { readonly labels: Labels; readonly samples: readonly MemorySample[] }[]): Promise<void> | void;
}

/** The engine that Prometheus's scripts assume. */
export const TEST_ENGINE: EngineOptions = {
  maxSamples: 10_000,
  timeoutMs: 100_000,
  delaysNameRemoval: true,
  usesStartTimes: true,
  parser: {
    experimentalFunctions: true,
    durationExpressions: true,
    extendedRangeSelectors: true,
    fillModifiers: true,
    unquotedUtf8Names: true,
  },
};

interface ExpectedSeries {
  readonly labels: Labels;
  readonly values: readonly DescribedValue[];
}

type AnnotationKind = 'fail' | 'warn' | 'info';

interface Evaluation {
  readonly line: number;
  readonly expression: string;
  readonly startMs: number;
  readonly endMs: number;
  /** undefined: an instant query at `startMs`. */
  readonly stepMs: number | undefined;
  isOrdered: boolean;
  readonly expected: ExpectedSeries[];
  scalar: number | undefined;
  string: string | undefined;
  rangeVector: { startMs: number; endMs: number; stepMs: number } | undefined;
  /** Texts that failures and remarks must fulfil; an empty list: none is said about them. */
  readonly expectations: Record<AnnotationKind, ((text: string) => boolean)[]>;
  noWarnings: boolean;
  noInfos: boolean;
}

const STEP_FUNCTIONS = /\b(start|end|range|step)\s*\(\s*\)/;
const AT_UNSAFE =
  /\b(days_in_month|day_of_month|day_of_week|day_of_year|hour|minute|month|year|predict_linear|time|timestamp|start|end|range|step)\s*\(/;

/**
 * Runs a script of Prometheus's own format (https://github.com/prometheus/prometheus/tree/main/promql/promqltest). Rejects
 * with an error that names the line when the engine's answer is not what the script expects.
 */
export async function runPromqlTest(
  script: string,
  createStorage: () => TestStorage | Promise<TestStorage>,
  options: EngineOptions = TEST_ENGINE,
): Promise<number> {
  const lines = script.split('\n').map((line) => (line.trim().startsWith('#') ? '' : line.trim()));
  let storage = await createStorage();
  let evaluated = 0;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    if (line === '') at++;
    else if (/^clear/.test(line)) {
      storage = await createStorage();
      at++;
    } else if (/^load/.test(line)) at = await load(lines, at, storage);
    else if (/^eval/.test(line)) {
      const { evaluation, next } = parseEvaluation(lines, at);
      await check(evaluation, storage, options);
      evaluated++;
      at = next;
    } else throw new Error(`invalid command "${line}" (line ${at + 1})`);
  }
  return evaluated;
}

// --- load --------------------------------------------------------------------------------------------------------------

async function load(lines: readonly string[], start: number, storage: TestStorage): Promise<number> {
  const match = /^load(?:_(with_nhcb))?\s+(.+?)$/.exec(lines[start]);
  if (!match) throw new Error(`invalid load command. (load[_with_nhcb] <step:duration>) (line ${start + 1})`);
  const stepMs = durationOf(match[2], start);
  const loaded = new Map<string, { labels: Labels; samples: MemorySample[] }>();
  let startTimes: { labels: Labels; offsets: (number | undefined)[] } | undefined;
  let at = start + 1;
  for (; at < lines.length && lines[at] !== ''; at++) {
    const text = lines[at];
    const st = /^(.*?\S)\s*@st\s+(.*)$/.exec(text);
    try {
      if (st) {
        startTimes = { labels: parseMetricLabels(st[1], TEST_ENGINE.parser), offsets: parseStartTimes(st[2]) };
        continue;
      }
      const { labels, values } = parseSeriesDescription(text, TEST_ENGINE.parser);
      if (startTimes && (startTimes.labels.key !== labels.key || startTimes.offsets.length !== values.length)) {
        throw new Error('start times must stand directly before the series of the same metric, with as many values');
      }
      const samples = values.flatMap((value, index) => sampleOf(value, index * stepMs, startTimes?.offsets[index]));
      loaded.set(labels.key, { labels, samples });
      startTimes = undefined;
    } catch (error) {
      throw new Error(`line ${at + 1}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (startTimes) throw new Error(`start times without a series (line ${at})`);
  const series = [...loaded.values()];
  await storage.add(series);
  if (match[1] === 'with_nhcb') await storage.add(customBucketHistograms(series));
  return at;
}

function sampleOf(value: DescribedValue, timeMs: number, startOffset: number | undefined): MemorySample[] {
  const start = startOffset === undefined ? {} : { startMs: timeMs + startOffset };
  switch (value.kind) {
    case 'gap':
      return [];
    case 'stale':
      return [{ timeMs, value: 'stale', ...start }];
    default:
      return [{ timeMs, value: value.value, ...start }];
  }
}

function parseStartTimes(text: string): (number | undefined)[] {
  const duration = '[+-]?(?:\\d+(?:ms|[smhdwy]))+|0|[+-]?\\d+';
  const item = new RegExp(`^(?:(_)|(${duration})([+-](?:${duration}))?)(?:x(\\d+))?$`);
  const ms = (given: string) => {
    const isNegative = given.startsWith('-');
    return (isNegative ? -1 : 1) * (parsePromqlDuration(given.replace(/^[+-]/, '')) ?? Number.NaN);
  };
  return text.split(/\s+/).flatMap((part) => {
    const match = item.exec(part);
    if (!match) throw new Error(`invalid start time ${part}`);
    const [, gap, first, change, times] = match;
    if (gap !== undefined) return new Array<undefined>(times === undefined ? 1 : Number(times)).fill(undefined);
    const count = times === undefined ? 1 : Number(times) + 1;
    return Array.from({ length: count }, (_, i) => ms(first) + i * (change === undefined ? 0 : ms(change)));
  });
}

/** Native histograms with custom buckets, made of the classic ones among the series. */
function customBucketHistograms(series: readonly { labels: Labels; samples: MemorySample[] }[]) {
  interface Point {
    buckets: { bound: number; count: number }[];
    count: number | undefined;
    sum: number | undefined;
  }
  const byBase = new Map<string, { labels: Labels; points: Map<number, Point> }>();
  for (const { labels, samples } of series) {
    const match = /^(.*)_(bucket|count|sum)$/.exec(labels.metricName);
    if (!match) continue;
    const [, name, kind] = match;
    if (kind === 'bucket' && labels.get('le') === '') continue;
    const base = labels.without(new Set(['le'])).with(METRIC_NAME, name);
    let entry = byBase.get(base.key);
    if (!entry) {
      entry = { labels: base, points: new Map() };
      byBase.set(base.key, entry);
    }
    for (const { timeMs, value } of samples) {
      if (typeof value !== 'number') continue;
      const point = entry.points.get(timeMs) ?? { buckets: [], count: undefined, sum: undefined };
      entry.points.set(timeMs, point);
      if (kind === 'bucket') point.buckets.push({ bound: parseNumber(labels.get('le')), count: value });
      else if (kind === 'count') point.count = value;
      else point.sum = value;
    }
  }
  return Array.from(byBase.values(), ({ labels, points }) => ({
    labels,
    samples: Array.from(points, ([timeMs, { buckets, count, sum }]): MemorySample => {
      const sorted = buckets.toSorted((a, b) => a.bound - b.bound);
      const histogram = new FloatHistogram();
      histogram.schema = CUSTOM_BUCKETS_SCHEMA;
      histogram.customBounds = sorted.map(({ bound }) => bound).filter((bound) => bound !== Number.POSITIVE_INFINITY);
      const total = count ?? sorted.at(-1)?.count ?? 0;
      const cumulative = sorted.filter(({ bound }) => bound !== Number.POSITIVE_INFINITY).map((bucket) => bucket.count);
      const counts = [...cumulative, total].map((value, i, all) => value - (i === 0 ? 0 : all[i - 1]));
      histogram.positive = { indexes: counts.map((_, i) => i), counts };
      histogram.count = total;
      histogram.sum = sum ?? 0;
      return { timeMs, value: histogram.compact() };
    }),
  }));
}

// --- eval --------------------------------------------------------------------------------------------------------------

const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/;
const RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
const EXPECT_RANGE = /^expect\s+range\s+vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;

/** The expectation of an `eval_…` of the old form, which any text fulfils. */
const anything = (): boolean => true;

function parseEvaluation(lines: readonly string[], start: number): { evaluation: Evaluation; next: number } {
  const line = lines[start];
  const instant = INSTANT.exec(line);
  const range = instant ? null : RANGE.exec(line);
  if (!instant && !range) throw new Error(`invalid evaluation command "${line}" (line ${start + 1})`);
  const mode = (instant ?? range)?.[1];
  const evaluation: Evaluation = {
    line: start + 1,
    expression: instant ? instant[3] : (range as RegExpExecArray)[5],
    startMs: durationOf(instant ? (instant[2] ?? '0') : (range as RegExpExecArray)[2], start),
    endMs: durationOf(instant ? (instant[2] ?? '0') : (range as RegExpExecArray)[3], start),
    stepMs: range ? durationOf(range[4], start) : undefined,
    isOrdered: mode === 'ordered',
    expected: [],
    scalar: undefined,
    string: undefined,
    rangeVector: undefined,
    expectations: {
      fail: mode === 'fail' ? [anything] : [],
      warn: mode === 'warn' ? [anything] : [],
      info: mode === 'info' ? [anything] : [],
    },
    noWarnings: false,
    noInfos: false,
  };
  if (range && evaluation.endMs < evaluation.startMs)
    throw new Error(`the end is before the start (line ${start + 1})`);
  try {
    parsePromql(evaluation.expression, TEST_ENGINE.parser);
  } catch (error) {
    const mayFail = lines
      .slice(start)
      .some((text, i, rest) => !rest.slice(0, i).includes('') && /^expect fail|^expected_fail/.test(text));
    if (mode !== 'fail' && !mayFail)
      throw new Error(`error in eval ${evaluation.expression} (line ${start + 1}): ${(error as Error).message}`);
  }
  let at = start + 1;
  for (; at < lines.length && lines[at] !== ''; at++) {
    if (readExpectation(lines[at], at, evaluation, mode === 'fail')) {
      at++;
      break;
    }
  }
  if (evaluation.noWarnings && evaluation.expectations.warn.length > 0) {
    throw new Error(`invalid expect lines, warn and no_warn cannot be used together (line ${start + 1})`);
  }
  if (evaluation.noInfos && evaluation.expectations.info.length > 0) {
    throw new Error(`invalid expect lines, info and no_info cannot be used together (line ${start + 1})`);
  }
  return { evaluation, next: at };
}

/** true: it was the last line of its block. */
function readExpectation(line: string, index: number, evaluation: Evaluation, isLegacyFail: boolean): boolean {
  const fail = (message: string): never => {
    throw new Error(`line ${index + 1}: ${message}`);
  };
  const legacy = isLegacyFail ? /^expected_fail_(message|regexp)\s+(.+)$/.exec(line) : null;
  if (legacy) {
    const [, how, text] = legacy;
    evaluation.expectations.fail = [how === 'message' ? (got) => got === text : regexTest(text)];
    return true;
  }
  const rangeVector = EXPECT_RANGE.exec(line);
  if (rangeVector) {
    if (evaluation.stepMs !== undefined) fail('expect range vector is only for instant queries');
    const [startMs, endMs, stepMs] = rangeVector.slice(1).map((text) => durationOf(text, index));
    evaluation.rangeVector = { startMs, endMs, stepMs };
    return false;
  }
  const string = /^expect\s+string\s+(".*"|`.*`)$/s.exec(line);
  if (string) {
    const literal = parsePromql(string[1]);
    evaluation.string = literal.kind === 'string' ? literal.value : '';
    return false;
  }
  if (/^expect\s/.test(line)) {
    const match = EXPECT.exec(line);
    if (!match) return fail(`invalid expect statement: ${line}`);
    const [, what, how, text] = match;
    const test =
      text === undefined ? () => true : how === 'msg' ? (got: string) => got === text.trim() : regexTest(text.trim());
    switch (what) {
      case 'ordered':
        if (evaluation.stepMs !== undefined)
          fail(
            'expecting ordered result from a range evaluation command is not supported because results are always ordered',
          );
        evaluation.isOrdered = true;
        break;
      case 'no_warn':
        evaluation.noWarnings = true;
        break;
      case 'no_info':
        evaluation.noInfos = true;
        break;
      case 'fail':
        // A legacy `eval_fail` says that it fails, and this how.
        if (evaluation.expectations.fail.some((other) => other !== anything)) {
          fail('invalid expect lines, multiple expect fail lines are not allowed');
        }
        evaluation.expectations.fail = [test];
        break;
      default:
        evaluation.expectations[what as AnnotationKind].push(test);
    }
    return false;
  }
  if (/^[+-]?(?:[0-9.]|inf$|nan$)/i.test(line) && !/[{\s]/.test(line)) {
    evaluation.scalar = parseNumber(line);
    return true;
  }
  try {
    evaluation.expected.push(parseSeriesDescription(line, TEST_ENGINE.parser));
  } catch (error) {
    fail((error as Error).message);
  }
  const last = evaluation.expected.at(-1);
  if (evaluation.stepMs === undefined && evaluation.rangeVector === undefined && last && last.values.length !== 1) {
    fail('expecting exactly one value for each series of an instant query; did you mean "expect range vector"?');
  }
  return false;
}

function regexTest(text: string): (got: string) => boolean {
  const expression = new RegExp(text);
  return (got) => expression.test(got);
}

function durationOf(text: string, index: number): number {
  const duration = parsePromqlDuration(text);
  if (duration === undefined) throw new Error(`invalid duration ${JSON.stringify(text)} (line ${index + 1})`);
  return duration;
}

// --- check -------------------------------------------------------------------------------------------------------------

async function check(evaluation: Evaluation, storage: TestStorage, options: EngineOptions): Promise<void> {
  const engine = new PromqlEngine(storage.queryable, options);
  const { expression, startMs, endMs, stepMs } = evaluation;
  if (stepMs !== undefined) {
    await checkOnce(evaluation, expression, 'range', () => engine.range(expression, { startMs, endMs, stepMs }));
    return;
  }
  const timeMs = evaluation.rangeVector?.endMs ?? startMs;
  await checkOnce(evaluation, expression, 'instant', () => engine.instant(expression, timeMs));
  if (evaluation.rangeVector) return;
  for (const variant of atVariants(expression, timeMs, options)) {
    await checkOnce(evaluation, variant.expression, `at ${variant.timeMs}`, () =>
      engine.instant(variant.expression, variant.timeMs),
    );
  }
  if (evaluation.isOrdered || evaluation.string !== undefined || STEP_FUNCTIONS.test(expression)) return;
  // The step in the middle of a range query must give the same.
  await checkOnce(evaluation, expression, 'middle step of a range', async () => {
    const range = { startMs: timeMs - 60_000, endMs: timeMs + 60_000, stepMs: 60_000 };
    const result = await engine.range(expression, range);
    return { ...result, value: middleStep(result.value, timeMs, evaluation.scalar !== undefined) };
  });
}

/** The same question asked from other times: every selector without a time of its own gets the one of the test. */
function atVariants(
  expression: string,
  timeMs: number,
  options: EngineOptions,
): { expression: string; timeMs: number }[] {
  if (AT_UNSAFE.test(expression)) return [];
  let expr: Expr;
  try {
    expr = parsePromql(expression, options.parser);
  } catch {
    return [];
  }
  if (!pinTimes(expr, timeMs)) return [];
  const pinned = printPromql(expr);
  const times = timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, Math.trunc(timeMs / 5), timeMs, 10 * timeMs];
  return times.map((time) => ({ expression: pinned, timeMs: time }));
}

/** Whether there was anything to pin. */
function pinTimes(expr: Expr, timeMs: number): boolean {
  switch (expr.kind) {
    case 'vectorSelector':
      expr.at ??= timeMs;
      return true;
    case 'matrixSelector':
      return pinTimes(expr.selector, timeMs);
    case 'subquery':
      // A subquery's own time moves what is inside of it.
      expr.at ??= timeMs;
      return true;
    case 'call':
      return expr.args
        .filter((_, i) => !(expr.name === 'info' && i === 1))
        .map((argument) => pinTimes(argument, timeMs))
        .includes(true);
    case 'aggregation':
      return [pinTimes(expr.expr, timeMs), expr.parameter ? pinTimes(expr.parameter, timeMs) : false].includes(true);
    case 'binary':
      return [pinTimes(expr.left, timeMs), pinTimes(expr.right, timeMs)].includes(true);
    case 'unary':
    case 'paren':
      return pinTimes(expr.expr, timeMs);
    default:
      return false;
  }
}

function middleStep(value: QueryValue, timeMs: number, isScalar: boolean): QueryValue {
  if (value.type !== 'matrix') return value;
  const samples = value.series.flatMap(({ labels, points }) =>
    points.filter((point) => point.timeMs === timeMs).map((point) => ({ labels, ...point })),
  );
  if (isScalar) return { type: 'scalar', timeMs, value: samples[0]?.value as number };
  return { type: 'vector', samples };
}

async function checkOnce(
  evaluation: Evaluation,
  expression: string,
  how: string,
  run: () => Promise<QueryResult>,
): Promise<void> {
  const where = `error in eval ${expression} (line ${evaluation.line}, ${how})`;
  const expectedFailure = evaluation.expectations.fail.at(0);
  let result: QueryResult;
  try {
    result = await run();
  } catch (error) {
    const message = (error as Error).message;
    if (!expectedFailure) throw new Error(`${where}: ${message}`, { cause: error });
    if (how === 'instant' || how === 'range') {
      if (!expectedFailure(message)) throw new Error(`${where}: unexpected error: ${message}`);
    }
    return;
  }
  if (expectedFailure) throw new Error(`${where}: expected error but got none`);
  try {
    if (how === 'instant' || how === 'range') checkAnnotations(evaluation, result);
    compare(evaluation, result.value);
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

function checkAnnotations({ expectations, noWarnings, noInfos }: Evaluation, { warnings, infos }: QueryResult): void {
  for (const [kind, texts, none] of [
    ['warn', warnings, noWarnings],
    ['info', infos, noInfos],
  ] as const) {
    if (none && texts.length > 0) throw new Error(`unexpected ${kind} annotations: ${texts.join('; ')}`);
    const tests = expectations[kind];
    if (tests.length === 0) continue;
    if (texts.length === 0) throw new Error(`expected ${kind} annotation but none occurred`);
    for (const test of tests)
      if (!texts.some(test)) throw new Error(`expected ${kind} annotation is missing; got: ${texts.join('; ')}`);
    for (const text of texts)
      if (!tests.some((test) => test(text))) throw new Error(`unexpected ${kind} annotation: ${text}`);
  }
}

function compare(evaluation: Evaluation, value: QueryValue): void {
  if (evaluation.scalar !== undefined) {
    if (value.type !== 'scalar') throw new Error(`expected scalar, but got ${value.type}`);
    if (!almostEqual(value.value, evaluation.scalar))
      throw new Error(`expected scalar ${evaluation.scalar} but got ${value.value}`);
    return;
  }
  if (evaluation.string !== undefined) {
    if (value.type !== 'string') throw new Error(`expected string, but got ${value.type}`);
    if (value.value !== evaluation.string)
      throw new Error(`expected string ${evaluation.string} but got ${value.value}`);
    return;
  }
  if (value.type === 'scalar') throw new Error('expected vector or matrix result, but got scalar');
  if (value.type === 'string') throw new Error('expected vector or matrix result, but got string');
  if (value.type === 'matrix') compareMatrix(evaluation, value);
  else compareVector(evaluation, value);
}

function compareMatrix(evaluation: Evaluation, { series }: Extract<QueryValue, { type: 'matrix' }>): void {
  const { startMs, stepMs } = evaluation.rangeVector ?? { startMs: evaluation.startMs, stepMs: evaluation.stepMs ?? 0 };
  if (evaluation.stepMs === undefined && !evaluation.rangeVector)
    throw new Error('expected an instant vector, but got a matrix');
  for (let i = 1; i < series.length; i++) {
    if (series[i - 1].labels.compare(series[i].labels) > 0)
      throw new Error('matrix results should always be sorted by labels');
  }
  const rest = new Map(evaluation.expected.map((expected) => [expected.labels.key, expected]));
  for (const { labels, points } of series) {
    const expected = rest.get(labels.key);
    if (!expected) throw new Error(`unexpected metric ${labels} in result, has ${points.length} points`);
    rest.delete(labels.key);
    const wanted = expected.values.flatMap((one, i) =>
      one.kind === 'gap' ? [] : [{ one, timeMs: startMs + i * stepMs }],
    );
    if (wanted.length !== points.length) {
      const got = points.map((point) => `${point.timeMs}=${text(point.value)}`).join(' ');
      throw new Error(`expected ${wanted.length} points for ${labels} but got ${points.length}: ${got}`);
    }
    for (const [i, { one, timeMs }] of wanted.entries()) {
      if (points[i].timeMs !== timeMs)
        throw new Error(`expected a point at ${timeMs} for ${labels}, but got one at ${points[i].timeMs}`);
      compareValue(one, points[i].value, `${labels} at ${timeMs}`);
    }
  }
  if (rest.size > 0) throw new Error(`expected metric ${[...rest.values()][0].labels} not found`);
}

function compareVector(evaluation: Evaluation, { samples }: Extract<QueryValue, { type: 'vector' }>): void {
  if (evaluation.stepMs !== undefined || evaluation.rangeVector) throw new Error('expected a matrix, but got a vector');
  const places = new Map(evaluation.expected.map((expected, i) => [expected.labels.key, i]));
  const seen = new Set<string>();
  for (const [i, { labels, value }] of samples.entries()) {
    const place = places.get(labels.key);
    if (place === undefined) throw new Error(`unexpected metric ${labels} in result, has value ${text(value)}`);
    if (seen.has(labels.key)) throw new Error(`metric ${labels} is twice in the result`);
    seen.add(labels.key);
    if (evaluation.isOrdered && place !== i)
      throw new Error(`expected metric ${labels} with value at position ${place + 1} but was at ${i + 1}`);
    compareValue(evaluation.expected[place].values[0], value, String(labels));
  }
  for (const { labels } of evaluation.expected)
    if (!seen.has(labels.key)) throw new Error(`expected metric ${labels} not found`);
}

function compareValue(expected: DescribedValue, got: number | FloatHistogram, where: string): void {
  const fail = (wanted: string): never => {
    throw new Error(`expected ${wanted} for ${where} but got ${text(got)}`);
  };
  if (expected.kind === 'float') {
    if (typeof got !== 'number') fail(text(expected.value));
    else if (!almostEqual(got, expected.value)) fail(text(expected.value));
  } else if (expected.kind === 'histogram') {
    if (typeof got === 'number') fail(text(expected.value));
    else if (!sameHistogram(expected.value, got, expected.hasResetHint)) {
      fail(`${text(expected.value)} (${expected.hasResetHint ? expected.value.resetHint : 'any hint'})`);
    }
  } else fail(expected.kind);
}

function text(value: number | FloatHistogram): string {
  if (typeof value === 'number') return formatGo(value);
  const { schema, zeroThreshold, resetHint, customBounds } = value;
  return `histogram ${value} schema ${schema} zero threshold ${zeroThreshold} hint ${resetHint} bounds [${customBounds}]`;
}

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < 2.2250738585072014e-308) return difference < 1e-6 * 2.2250738585072014e-308;
  return difference / Math.min(sum, Number.MAX_VALUE) < 1e-6;
}

function sameHistogram(givenA: FloatHistogram, givenB: FloatHistogram, comparesHint: boolean): boolean {
  const [a, b] = [givenA.copy().compact(), givenB.copy().compact()];
  const sameSide = (x: FloatHistogram['positive'], y: FloatHistogram['positive']) =>
    x.indexes.length === y.indexes.length &&
    x.indexes.every((index, i) => index === y.indexes[i]) &&
    x.counts.every((count, i) => almostEqual(count, y.counts[i]));
  return (
    a.schema === b.schema &&
    almostEqual(a.count, b.count) &&
    almostEqual(a.sum, b.sum) &&
    almostEqual(a.zeroCount, b.zeroCount) &&
    a.zeroThreshold === b.zeroThreshold &&
    a.customBounds.length === b.customBounds.length &&
    a.customBounds.every((bound, i) => bound === b.customBounds[i]) &&
    sameSide(a.positive, b.positive) &&
    sameSide(a.negative, b.negative) &&
    (!comparesHint || a.resetHint === b.resetHint)
  );
}
