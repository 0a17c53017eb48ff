import type { FilterComparison, FilterIntrinsic, Severity } from '@signalbox/api-contract';
import { readDuration } from '../duration.ts';
import { severities, severityRange } from '../logs/severity.ts';
import { spanKinds, statusCodes } from '../span-codes.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { compareText, sqlOperator, valueText } from './compare.ts';
import { filterError } from './read-filters.ts';

type Planner = (comparison: FilterComparison, parameters: SqlParameters) => string;

const text =
  (column: string): Planner =>
  ({ operator, value }, parameters) =>
    compareText(column, parameters, operator, value);

/** Fields of spans that are no attributes. */
export const spanIntrinsics: Readonly<Partial<Record<FilterIntrinsic, Planner>>> = {
  'span:name': text('name'),
  'span:kind': (comparison, parameters) => equalsCode(comparison, parameters, 'kind', spanKinds),
  'span:status': (comparison, parameters) => equalsCode(comparison, parameters, 'status_code', statusCodes),
  'span:statusMessage': text('status_message'),
  'span:duration': compareDuration,
  'span:id': (comparison, parameters) => equalsId(comparison, parameters, 'span_id', 8),
  'trace:id': (comparison, parameters) => equalsId(comparison, parameters, 'trace_id', 16),
  'scope:name': text('scope_name'),
  'scope:version': text('scope_version'),
  'event:name': ({ operator, value }, parameters) =>
    operator === '!exists'
      ? 'empty(event_name)'
      : `arrayExists(x -> ${compareText('x', parameters, operator, value)}, event_name)`,
};

/** Fields of log records that are no attributes. */
export const logIntrinsics: Readonly<Partial<Record<FilterIntrinsic, Planner>>> = {
  'log:body': text('body'),
  'log:severity': compareSeverity,
  'log:event': text('event_name'),
  'span:id': (comparison, parameters) => equalsId(comparison, parameters, 'span_id', 8),
  'trace:id': (comparison, parameters) => equalsId(comparison, parameters, 'trace_id', 16),
  'scope:name': text('scope_name'),
  'scope:version': text('scope_version'),
};

export const seriesIntrinsics: Readonly<Partial<Record<FilterIntrinsic, Planner>>> = {
  'scope:name': text('scope_name'),
  'scope:version': text('scope_version'),
};

function equalsCode(
  comparison: FilterComparison,
  parameters: SqlParameters,
  column: string,
  names: readonly string[],
): string {
  requireOperator(comparison, ['=', '!=']);
  const number = comparison.value === null ? -1 : names.indexOf(valueText(comparison.value).toUpperCase());
  if (number < 0) {
    throw filterError(
      comparison,
      'value',
      `${comparison.key} has no such value`,
      `One of ${names.join(', ').toLowerCase()}.`,
    );
  }
  return `${column} ${sqlOperator(comparison.operator)} ${parameters.uint32(number)}`;
}

function compareDuration(comparison: FilterComparison, parameters: SqlParameters): string {
  requireOperator(comparison, ['=', '!=', '<', '<=', '>', '>=']);
  const nanos = comparison.value === null ? undefined : readDuration(valueText(comparison.value));
  if (nanos === undefined) {
    throw filterError(
      comparison,
      'value',
      'This is no duration',
      'A number with a unit: 250ms, 1.5s, 2m (ns, us, ms, s, m, h).',
    );
  }
  return `duration ${sqlOperator(comparison.operator)} ${parameters.uint64(nanos)}`;
}

function equalsId(comparison: FilterComparison, parameters: SqlParameters, column: string, bytes: 8 | 16): string {
  requireOperator(comparison, ['=', '!=']);
  const id = comparison.value === null ? '' : valueText(comparison.value);
  if (!new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`).test(id)) {
    throw filterError(comparison, 'value', `${comparison.key} has ${bytes * 2} hexadecimal digits`);
  }
  return `${column} ${sqlOperator(comparison.operator)} ${parameters.fixedBytes(id, bytes)}`;
}

function compareSeverity(comparison: FilterComparison, parameters: SqlParameters): string {
  requireOperator(comparison, ['=', '!=', '<', '<=', '>', '>=']);
  const { operator } = comparison;
  const [low, high] = readSeverity(comparison);
  if (operator === '=' || operator === '!=') {
    const between = `severity_number BETWEEN ${parameters.uint32(low)} AND ${parameters.uint32(high)}`;
    return operator === '=' ? `(${between})` : `NOT (${between})`;
  }
  // A word stands for its whole range: `> WARN` begins after WARN4, `>= WARN` with WARN.
  const edge = operator === '>' || operator === '<=' ? high : low;
  return `severity_number ${sqlOperator(operator)} ${parameters.uint32(edge)}`;
}

export function readSeverity(comparison: FilterComparison): readonly [number, number] {
  const { value } = comparison;
  if (value?.type === 'number' && value.value >= 0 && value.value <= 255 && Number.isInteger(value.value)) {
    return [value.value, value.value];
  }
  const word = value === null ? '' : valueText(value).toUpperCase();
  if (!(severities as readonly string[]).includes(word)) {
    throw filterError(
      comparison,
      'value',
      'There is no such severity',
      `A number, or one of ${severities.join(', ')}.`,
    );
  }
  return severityRange(word as Severity);
}

function requireOperator(comparison: FilterComparison, operators: readonly string[]): void {
  if (!operators.includes(comparison.operator)) {
    throw filterError(
      comparison,
      comparison.value === null ? 'value' : 'key',
      `${comparison.key} does not know ${comparison.operator}`,
      `It compares with ${operators.join(' ')}.`,
    );
  }
}
