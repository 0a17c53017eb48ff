import type { LabelComparison, LabelFilter, Stage } from '@signalbox/query-language';
import type { SqlParameters } from '../sql-parameters.ts';
import { hasMember, jsonValue } from './json-labels.ts';
import { RECORD_LABELS } from './log-rows.ts';
import { lokiName, type StoredStream } from './stored-stream.ts';

/** `| field > 5` behind `| json`, of a field that nothing but `| json` can have set. */
export interface NumberFilter {
  readonly label: string;
  readonly comparison: LabelComparison;
  readonly value: number;
}

/**
 * The comparisons with numbers that a line must fulfil and that SQL can decide where the line is plain (json-labels.ts).
 *
 * @param keys attributes that records may have
 */
export function numberFilters(
  stages: readonly Stage[],
  streams: readonly StoredStream[],
  keys: readonly string[],
): NumberFilter[] {
  const first = stages.findIndex(({ kind }) => kind === 'json');
  const [json] = stages.slice(first, first + 1);
  const isBefore = stages.slice(0, Math.max(first, 0)).every(({ kind }) => KEEPS_ALL.has(kind));
  if (json?.kind !== 'json' || json.extractions.length > 0 || !isBefore) return [];
  const taken = new Set([...RECORD_LABELS, ...keys.map(lokiName)]);
  for (const { stream, metadata } of streams) {
    for (const name of stream.values.keys()) taken.add(name);
    for (const [name] of metadata) taken.add(name);
  }
  const found: NumberFilter[] = [];
  for (const stage of stages.slice(first + 1)) {
    if (stage.kind === 'labelFilter') found.push(...partsOf(stage.filter).filter(({ label }) => !taken.has(label)));
    else if (stage.kind !== 'lineFilter') break;
  }
  return found;
}

/** Stages that leave line and labels as they are. */
const KEEPS_ALL: ReadonlySet<string> = new Set(['lineFilter', 'labelFilter']);

/** What has to be true for the whole to be. A part that can't be compared passes, with an error, so that those behind it count as well. */
function partsOf(filter: LabelFilter): NumberFilter[] {
  if (filter.kind === 'and') return [...partsOf(filter.left), ...partsOf(filter.right)];
  return filter.kind === 'number' && Number.isFinite(filter.value) ? [filter] : [];
}

/** Numbers that are the same to the engine and to Loki, digit by digit. */
const NUMBER = /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/;

/** Whether a plain line does not fulfil the filter for certain. */
export function failsNumber({ label, comparison, value }: NumberFilter, parameters: SqlParameters): string {
  const raw = jsonValue(label, parameters);
  const [first = label] = label.split('_', 1);
  const places = first === label ? [label] : [label, first];
  const isAbsent = places.map((name) => `NOT (${hasMember(name, parameters)})`).join(' AND ');
  const isLess = `NOT (toFloat64OrZero(${raw}) ${comparison} ${parameters.float64(value)})`;
  return `(${isAbsent} OR ${hasMember(label, parameters)} AND ${isNumber(label, parameters)} AND ${isLess})`;
}

/**
 * What stands for the values that fulfil a filter, where nobody asks which value it is: one number that fulfils it as well.
 * Undefined: there is none that is surely exact.
 */
export function sameForAll({ label, comparison, value }: NumberFilter, parameters: SqlParameters): string | undefined {
  const one = String(
    {
      '>': Math.floor(value) + 1,
      '>=': Math.ceil(value),
      '<': Math.ceil(value) - 1,
      '<=': Math.floor(value),
      '==': value,
      '!=': Math.floor(value) + 1,
    }[comparison],
  );
  if (!NUMBER.test(one)) return undefined;
  return `if(${isNumber(label, parameters)}, ${parameters.string(one)}, ${jsonValue(label, parameters)})`;
}

function isNumber(label: string, parameters: SqlParameters): string {
  return `match(${jsonValue(label, parameters)}, ${parameters.string(NUMBER.source)})`;
}
