import { type CheckResult, checked } from './check.ts';
import { listMetrics, listSeries, show } from './describe.ts';
import { type ExpectedAttributes, hasAttributes } from './expected-value.ts';
import type { RecordedMetric, RecordedSeries } from './recorded-metric.ts';
import type { Recording } from './recording.ts';

/** The sum over the series that have `attributes`; undefined when there is none of them with a value. */
export function metricValue(
  recording: Recording,
  name: string,
  attributes: ExpectedAttributes = {},
): number | undefined {
  return total(matching(recording.metric(name), attributes), ({ value }) => value);
}

/** How many values a histogram or summary took, over the series that have `attributes`. */
export function metricCount(
  recording: Recording,
  name: string,
  attributes: ExpectedAttributes = {},
): number | undefined {
  return total(matching(recording.metric(name), attributes), ({ count }) => count);
}

export function checkMetricValue(
  recording: Recording,
  name: string,
  expected: number,
  attributes: ExpectedAttributes = {},
): CheckResult {
  return checkNumber(recording, name, expected, attributes, 'the value', metricValue(recording, name, attributes));
}

export function checkMetricCount(
  recording: Recording,
  name: string,
  expected: number,
  attributes: ExpectedAttributes = {},
): CheckResult {
  return checkNumber(recording, name, expected, attributes, 'a count of', metricCount(recording, name, attributes));
}

function checkNumber(
  recording: Recording,
  name: string,
  expected: number,
  attributes: ExpectedAttributes,
  what: string,
  value: number | undefined,
): CheckResult {
  const where = Object.keys(attributes).length === 0 ? `"${name}"` : `"${name}" with ${show(attributes)}`;
  return checked(
    value === expected,
    () => `expected ${where} to have ${what} ${expected}; ${found(recording, name, attributes, value)}`,
    () => `expected ${where} not to have ${what} ${expected}`,
  );
}

function found(recording: Recording, name: string, attributes: ExpectedAttributes, value: number | undefined): string {
  const metric = recording.metric(name);
  if (metric === undefined) return `there is no such metric among ${listMetrics(recording)}`;
  const series = matching(metric, attributes);
  if (series.length === 0) return `its series are ${listSeries(metric.series)}`;
  if (value === undefined)
    return `it is a ${metric.type}: ${metric.type === 'gauge' || metric.type === 'sum' ? 'ask for its value' : 'ask for its count'}`;
  return `it is ${value}: ${listSeries(series)}`;
}

function matching(metric: RecordedMetric | undefined, attributes: ExpectedAttributes): readonly RecordedSeries[] {
  return metric === undefined ? [] : metric.series.filter((series) => hasAttributes(series.attributes, attributes));
}

function total(
  series: readonly RecordedSeries[],
  numberOf: (series: RecordedSeries) => number | undefined,
): number | undefined {
  const numbers = series.map(numberOf).filter((number) => number !== undefined);
  return numbers.length === 0 ? undefined : numbers.reduce((sum, number) => sum + number, 0);
}
