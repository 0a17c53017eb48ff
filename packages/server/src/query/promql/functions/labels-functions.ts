import { RE2JS } from 're2js';
import { isLabelName, Labels, METADATA, METRIC_NAME } from '../labels.ts';
import { executionError } from '../promql-error.ts';
import { joinSameLabels, type StepVector } from '../step-vector.ts';

/** label_replace(v, dst, replacement, src, regex): sets `dst` where the whole of `src` matches. */
export function labelReplace(vector: StepVector, [dst, replacement, src, regex]: readonly string[]): StepVector {
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(`^(?s:${regex})$`);
  } catch {
    throw executionError(`invalid regular expression in label_replace(): ${regex}`);
  }
  if (!isLabelName(dst)) throw executionError(`invalid destination label name in label_replace(): ${dst}`);
  return relabel(vector, dst, (labels) => {
    const matcher = expression.matcher(labels.get(src));
    if (!matcher.find()) return undefined;
    return expand(replacement, (group) => {
      if (/^\d+$/.test(group)) return Number(group) <= matcher.groupCount() ? (matcher.group(Number(group)) ?? '') : '';
      return matcher.getNamedGroups()[group] === undefined ? '' : (matcher.group(group) ?? '');
    });
  });
}

/** label_join(v, dst, separator, src…): sets `dst` to the values of the others. */
export function labelJoin(vector: StepVector, [dst, separator, ...sources]: readonly string[]): StepVector {
  for (const source of sources)
    if (!isLabelName(source)) throw executionError(`invalid source label name in label_join(): ${source}`);
  if (!isLabelName(dst)) throw executionError(`invalid destination label name in label_join(): ${dst}`);
  return relabel(vector, dst, (labels) => sources.map((source) => labels.get(source)).join(separator));
}

function relabel(vector: StepVector, dst: string, newValue: (labels: Labels) => string | undefined): StepVector {
  for (const series of vector) {
    const value = newValue(series.labels);
    if (value === undefined) continue;
    series.labels = series.labels.with(dst, value);
    // A name that is given on purpose belongs to the result.
    if (dst === METRIC_NAME) series.dropsName = false;
  }
  return joinSameLabels(vector);
}

/** Go's replacement syntax: `$1`, `${1}`, `$name`; a name is as long as it can be, `$$` is a dollar. */
function expand(template: string, groupOf: (group: string) => string): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
    const group = braced ?? plain;
    return group === undefined ? '$' : groupOf(group);
  });
}

/** The labels of what absent() says is not there: those that its selector wants exactly. */
export function absentLabels(matchers: readonly { name: string; operator: string; value: string }[]): Labels {
  const labels = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of matchers) {
    if (METADATA.has(name)) continue;
    if (operator === '=' && !seen.has(name)) {
      labels.set(name, value);
      seen.add(name);
    } else labels.delete(name);
  }
  return Labels.from(labels);
}
