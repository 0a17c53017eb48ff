import { type FilterValue, parseFilter } from '@signalbox/api-contract';
import { parseTraceql, TraceqlError } from '@signalbox/query-language';
import type { TracesSearch } from './url-state.ts';

/** What is wrong with a text as a search in TraceQL, and where. */
export interface TraceqlMistake {
  readonly message: string;
  readonly position: { readonly start: number; readonly end: number };
}

/** Undefined: nothing. */
export function traceqlMistake(text: string): TraceqlMistake | undefined {
  try {
    const { expr } = parseTraceql(text);
    if (expr.kind === 'pipeline') return undefined;
    return { message: 'This makes time series, not traces', position: { start: 0, end: text.length } };
  } catch (error) {
    if (!(error instanceof TraceqlError)) throw error;
    return { message: error.reason, position: error.range };
  }
}

/** The search that the fields make, as one spanset filter of TraceQL. */
export function traceqlOf({ service, operation, filter = [], min, max, status, kind, rootOnly }: TracesSearch): string {
  const conditions = [
    ...(service === undefined ? [] : [`resource.service.name = ${JSON.stringify(service)}`]),
    ...(operation === undefined ? [] : [`span:name = ${JSON.stringify(operation)}`]),
    ...(min === undefined ? [] : [`span:duration >= ${min}`]),
    ...(max === undefined ? [] : [`span:duration <= ${max}`]),
    ...(status === undefined ? [] : [`span:status = ${status.toLowerCase()}`]),
    ...(kind === undefined ? [] : [`span:kind = ${kind.toLowerCase()}`]),
    ...(rootOnly === undefined ? [] : ['nestedSetParent < 0']),
    ...filter.map(conditionOf),
  ];
  return conditions.length === 0 ? '{ }' : `{ ${conditions.join(' && ')} }`;
}

function conditionOf(text: string): string {
  const { scope, key, intrinsic, operator, value } = parseFilter(text);
  const name = /^[A-Za-z0-9_.-]+$/.test(key) ? key : JSON.stringify(key);
  const field = intrinsic ? key : `${scope === 'scope' ? 'instrumentation' : (scope ?? '')}.${name}`;
  if (operator === 'exists') return `${field} != nil`;
  if (operator === '!exists') return `${field} = nil`;
  return `${field} ${operator} ${valueText(value, intrinsic)}`;
}

/** Durations, kinds and statuses of fields that are no attributes are words, not texts. */
function valueText(value: FilterValue | null, intrinsic: boolean): string {
  if (value?.type === 'string') return value.quoted || !intrinsic ? JSON.stringify(value.value) : value.value;
  return value?.type === 'number' ? value.text : String(value?.value);
}
