import { applyOperator, fieldType, type Static, type traceql } from '@signalbox/query-language';
import {
  type AttributePrefix,
  attributeExists,
  attributeHasType,
  attributeOfType,
} from '../../store/clickhouse/attributes.ts';
import { spanKinds, statusCodes } from '../span-codes.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { isRoot } from '../traces/trace-search-request.ts';
import { anchored, traceIdLiteral } from './compile-field.ts';
import { mayHold } from './json-keys.ts';
import { EVERY_PLACE, type KeyPlaces } from './key-places.ts';

/**
 * A condition on rows of `spans` that no span fails for which the expression is true. `isExact`: nor does any other span
 * fulfil it, so that nothing has to be evaluated afterwards.
 */
export interface SpanCondition {
  readonly sql: string;
  readonly isExact: boolean;
  /** Of a condition on the resource alone: the same on rows of `resources`. */
  readonly ofResource?: ResourceCondition;
}

interface ResourceCondition {
  readonly sql: string;
  /** Makes it a condition on rows of `spans`. */
  readonly onSpans: (sql: string) => string;
}

export interface ConditionContext {
  readonly parameters: SqlParameters;
  /** Bounds the resources that are looked at; it must contain the rows' times. */
  readonly range: TimeRange;
  /** Where keys of attributes are known not to be. */
  readonly places: ReadonlyMap<string, KeyPlaces>;
  /**
   * Conditions on the root become such on all spans of traces whose root, within the range, fulfils them: not for searches, which know
   * of the trace as a whole later.
   */
  readonly followsRoots?: boolean;
}

const ANY: SpanCondition = { sql: '1', isExact: false };
const ALL: SpanCondition = { sql: '1', isExact: true };
const NONE: SpanCondition = { sql: '0', isExact: true };

export function isAny({ sql }: SpanCondition): boolean {
  return sql === '1';
}

export function conjunction(left: SpanCondition, right: SpanCondition): SpanCondition {
  const isExact = left.isExact && right.isExact;
  if (isAny(left)) return { sql: right.sql, isExact };
  if (isAny(right)) return { sql: left.sql, isExact };
  return joined(left, 'AND', right) ?? { sql: `(${left.sql} AND ${right.sql})`, isExact };
}

export function disjunction(left: SpanCondition, right: SpanCondition): SpanCondition {
  const isExact = left.isExact && right.isExact;
  if (isAny(left) || isAny(right)) return { sql: '1', isExact };
  if (left.sql === '0') return { sql: right.sql, isExact };
  if (right.sql === '0') return { sql: left.sql, isExact };
  if (left.sql === right.sql) return { sql: left.sql, isExact };
  return joined(left, 'OR', right) ?? { sql: `(${left.sql} OR ${right.sql})`, isExact };
}

/** Two conditions on the resource as one, since each looks through all resources; undefined: they are no such. */
function joined(left: SpanCondition, operator: 'AND' | 'OR', right: SpanCondition): SpanCondition | undefined {
  if (left.ofResource === undefined || right.ofResource === undefined) return undefined;
  const { onSpans } = left.ofResource;
  const sql = `(${left.ofResource.sql} ${operator} ${right.ofResource.sql})`;
  return { sql: onSpans(sql), isExact: left.isExact && right.isExact, ofResource: { sql, onSpans } };
}

/** The condition of an expression that stands for a bool. */
export function spanCondition(expr: traceql.FieldExpr, context: ConditionContext): SpanCondition {
  switch (expr.kind) {
    case 'literal':
      return expr.value.value === true ? ALL : NONE;
    case 'attribute':
      return comparison(expr, '=', { type: 'bool', value: true }, context);
    case 'intrinsic':
      return ANY;
    case 'existence':
      return existence(expr, context);
    case 'cidr':
      return { ...existence({ ...expr, kind: 'existence', exists: true }, context), isExact: false };
    case 'unary': {
      const inner = spanCondition(expr.expr, context);
      const isKnown = expr.operator === '!' && inner.isExact && fieldType(expr.expr) === 'bool';
      return isKnown ? { sql: `NOT (${inner.sql})`, isExact: true } : ANY;
    }
    case 'binary':
      return binary(expr, context);
  }
}

const FLIPPED: Readonly<Record<string, traceql.FieldOperator>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function binary(expr: traceql.BinaryField, context: ConditionContext): SpanCondition {
  const { operator } = expr;
  if (operator === '&&') return conjunction(spanCondition(expr.left, context), spanCondition(expr.right, context));
  if (operator === '||') {
    const either = disjunction(spanCondition(expr.left, context), spanCondition(expr.right, context));
    // An absent attribute is no bool: then the whole is not true, whatever the other side is.
    const areBools = fieldType(expr.left) === 'bool' && fieldType(expr.right) === 'bool';
    return areBools ? either : { ...either, isExact: false };
  }
  const left = traceIdLiteral(expr.left, expr.right);
  const right = traceIdLiteral(expr.right, expr.left);
  if (left.kind === 'literal' && right.kind === 'literal') {
    return applyOperator(operator, left.value, right.value).value === true ? ALL : ANY;
  }
  if (isField(left) && right.kind === 'literal') return comparison(left, operator, right.value, context);
  if (isField(right) && left.kind === 'literal' && operator !== '=~' && operator !== '!~') {
    return comparison(right, FLIPPED[operator] ?? operator, left.value, context);
  }
  return ANY;
}

function isField(expr: traceql.FieldExpr): expr is traceql.Field {
  return expr.kind === 'attribute' || expr.kind === 'intrinsic';
}

// --- attributes --------------------------------------------------------------------------------------------------------

function existence({ expr, exists }: traceql.Existence, context: ConditionContext): SpanCondition {
  if (expr.kind === 'intrinsic') {
    const column = { 'event:name': 'event_name', 'event:timeSinceStart': 'event_time', 'link:spanID': 'link_span_id' }[
      expr.name as string
    ];
    if (column !== undefined) return { sql: `${exists ? 'notEmpty' : 'empty'}(${column})`, isExact: true };
    return expr.name === 'link:traceID'
      ? { sql: `${exists ? 'notEmpty' : 'empty'}(link_trace_id)`, isExact: true }
      : exists
        ? ALL
        : NONE;
  }
  if (expr.kind !== 'attribute') return ANY;
  const found = inPlaces(expr, context, (prefix, key) => ({ sql: attributeExists(prefix, key), isExact: true }));
  if (exists) return found;
  return found.isExact ? { sql: `NOT ${found.sql}`, isExact: true } : ANY;
}

function comparison(
  field: traceql.Field,
  operator: traceql.FieldOperator,
  value: Static,
  context: ConditionContext,
): SpanCondition {
  if (field.kind === 'intrinsic') {
    const ofRoot = context.followsRoots ? ROOT_COLUMNS[field.name] : undefined;
    if (ofRoot !== undefined) return rootText(ofRoot, operator, value, context);
    return intrinsic(field.name, operator, value, context.parameters);
  }
  if (field.scope === 'resource' && field.name === 'service.name') {
    return compareService(operator, value, context) ?? inPlaces(field, context, compareIn);
  }
  return inPlaces(field, context, compareIn);

  function compareIn(prefix: AttributePrefix, key: string): SpanCondition {
    const places = context.places.get(field.name) ?? EVERY_PLACE;
    const isComposite = prefix === 'attributes' ? places.composite : places.compositeResource;
    const scalar = compareScalar(prefix, key, operator, value, context.parameters);
    if (!isComposite) return { sql: scalar, isExact: true };
    return disjunction(
      { sql: scalar, isExact: false },
      { sql: attributeHasType(prefix, 'other', key), isExact: false },
    );
  }
}

/** The service has a column of its own. */
function compareService(
  operator: traceql.FieldOperator,
  value: Static,
  { parameters }: ConditionContext,
): SpanCondition | undefined {
  if (value.type !== 'string' || value.value === '') return undefined;
  const sql = compareText('service', operator, value.value, parameters);
  return sql === undefined ? undefined : { sql: operator === '=' ? sql : `(service != '' AND ${sql})`, isExact: true };
}

/** True where an attribute of a scalar type fulfils the comparison. */
function compareScalar(
  prefix: AttributePrefix,
  key: string,
  operator: traceql.FieldOperator,
  value: Static,
  parameters: SqlParameters,
): string {
  const of = (type: 'string' | 'int' | 'double' | 'bool', test: (column: string) => string): string =>
    `(${attributeHasType(prefix, type, key)} AND ${test(attributeOfType(prefix, type, key))})`;
  switch (value.type) {
    case 'string': {
      // Not behind a look for the key: so the index on values is used.
      if (operator === '=' && value.value !== '') {
        return `${attributeOfType(prefix, 'string', key)} = ${parameters.string(value.value)}`;
      }
      return of('string', (column) => compareText(column, operator, value.value, parameters) ?? '0');
    }
    case 'int':
    case 'float':
    case 'duration': {
      const sql = sqlComparison(operator);
      if (sql === undefined) return '0';
      const double = parameters.float64(Number(value.value));
      const asInt = (column: string): string =>
        value.type === 'float'
          ? `toFloat64(${column}) ${sql} ${double}`
          : `${column} ${sql} ${parameters.int64(value.value)}`;
      return `(${of('int', asInt)} OR ${of('double', (column) => `${column} ${sql} ${double}`)})`;
    }
    case 'bool': {
      const sql = sqlComparison(operator);
      return sql === undefined ? '0' : of('bool', (column) => `${column} ${sql} ${value.value ? 1 : 0}`);
    }
    default:
      return '0';
  }
}

function compareText(
  column: string,
  operator: traceql.FieldOperator,
  value: string,
  parameters: SqlParameters,
): string | undefined {
  if (operator === '=~') return `match(${column}, ${parameters.string(anchored(value))})`;
  if (operator === '!~') return `NOT match(${column}, ${parameters.string(anchored(value))})`;
  const sql = sqlComparison(operator);
  return sql === undefined ? undefined : `${column} ${sql} ${parameters.string(value)}`;
}

const SQL_COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);

/** The operator in SQL, where it is written alike; undefined: it compares nothing by order. */
function sqlComparison(operator: traceql.FieldOperator): string | undefined {
  return SQL_COMPARISONS.has(operator) ? operator : undefined;
}

/**
 * A condition on an attribute where its scope says, or wherever the key is found first. Attributes of events, links and
 * instrumentation scopes are JSON: rows where the key may stand in it are left to be evaluated.
 */
function inPlaces(
  { scope, name }: traceql.AttributeField,
  context: ConditionContext,
  test: (prefix: AttributePrefix, key: string) => SpanCondition,
): SpanCondition {
  const places = context.places.get(name) ?? EVERY_PLACE;
  const key = context.parameters.string(name);
  const own = (): SpanCondition => test('attributes', key);
  const ofResource = (): SpanCondition => onResource(test('resource', key), context);
  const inJson = (column: string): SpanCondition => ({
    sql: mayHold(column, name, context.parameters),
    isExact: false,
  });
  switch (scope) {
    case 'span':
      return own();
    case 'resource':
      return ofResource();
    case 'event':
      return inJson('event_attributes');
    case 'link':
      return inJson('link_attributes');
    case 'instrumentation':
      return inJson('[scope_attributes]');
    case 'none': {
      let condition = own();
      if (places.resource) {
        const later = ofResource();
        const absent = { sql: `NOT ${attributeExists('attributes', key)}`, isExact: true };
        condition = disjunction(condition, conjunction(absent, later));
      }
      if (places.event) condition = disjunction(condition, inJson('event_attributes'));
      if (places.link) condition = disjunction(condition, inJson('link_attributes'));
      if (places.instrumentation) condition = disjunction(condition, inJson('[scope_attributes]'));
      return condition;
    }
  }
}

/** A condition on a resource as one on spans. A resource is noted once per 6 hours, with their start as its time. */
function onResource({ sql, isExact }: SpanCondition, { parameters, range }: ConditionContext): SpanCondition {
  const from = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const to = parameters.secondTime(range.to / nanosPerSecond);
  const onSpans = (condition: string): string =>
    `resource_id IN (SELECT resource_id FROM resources WHERE time >= ${from} AND time <= ${to} AND ${condition})`;
  return { sql: onSpans(sql), isExact, ofResource: { sql, onSpans } };
}

// --- intrinsics --------------------------------------------------------------------------------------------------------

function intrinsic(
  name: traceql.IntrinsicField['name'],
  operator: traceql.FieldOperator,
  value: Static,
  parameters: SqlParameters,
): SpanCondition {
  const text = (column: string): SpanCondition => {
    const sql = value.type === 'string' ? compareText(column, operator, value.value, parameters) : undefined;
    return sql === undefined ? NONE : { sql, isExact: true };
  };
  const anyText = (array: string, shown = 'x'): SpanCondition => {
    const { sql } = text(shown);
    return { sql: `arrayExists(x -> ${sql}, ${array})`, isExact: true };
  };
  switch (name) {
    case 'name':
      return text('name');
    case 'statusMessage':
      return text('status_message');
    case 'instrumentation:name':
      return text('scope_name');
    case 'instrumentation:version':
      return text('scope_version');
    case 'duration':
      return compareNumber('duration', operator, value, parameters);
    case 'status':
      return compareCode('status_code', statusCodes, operator, value);
    case 'kind':
      return compareCode('kind', spanKinds, operator, value);
    case 'span:id':
      return compareId('span_id', 8, operator, value, parameters) ?? text('lower(hex(span_id))');
    case 'span:parentID':
      return (
        compareId('parent_span_id', 8, operator, value, parameters) ??
        text(`if(${isRoot}, '', lower(hex(parent_span_id)))`)
      );
    case 'trace:id':
      return (
        compareId('trace_id', 16, operator, value, parameters) ??
        text("replaceRegexpOne(lower(hex(trace_id)), '^0+', '')")
      );
    case 'event:name':
      return anyText('event_name');
    case 'link:traceID':
      return anyText('link_trace_id', 'lower(hex(x))');
    case 'link:spanID':
      return anyText('link_span_id', 'lower(hex(x))');
    case 'event:timeSinceStart': {
      const since = compareNumber(
        '(toUnixTimestamp64Nano(x) - toUnixTimestamp64Nano(time))',
        operator,
        value,
        parameters,
      );
      return { sql: `arrayExists(x -> ${since.sql}, event_time)`, isExact: true };
    }
    case 'nestedSetParent':
      return compareWithRoots(operator, value);
    default:
      return ANY;
  }
}

const ROOT_COLUMNS: Readonly<Record<string, string>> = { rootName: 'name', rootServiceName: 'service' };

function rootText(
  column: string,
  operator: traceql.FieldOperator,
  value: Static,
  { parameters, range }: ConditionContext,
): SpanCondition {
  const sql = value.type === 'string' ? compareText(column, operator, value.value, parameters) : undefined;
  if (sql === undefined) return NONE;
  const roots = `SELECT trace_id FROM spans WHERE ${isInTime(range, parameters)} AND ${isRoot} AND ${sql}`;
  return { sql: `trace_id IN (${roots})`, isExact: false };
}

function compareNumber(
  column: string,
  operator: traceql.FieldOperator,
  value: Static,
  parameters: SqlParameters,
): SpanCondition {
  const sql = sqlComparison(operator);
  if (sql === undefined) return NONE;
  if (value.type === 'float') {
    return { sql: `toFloat64(${column}) ${sql} ${parameters.float64(value.value)}`, isExact: true };
  }
  if (value.type !== 'int' && value.type !== 'duration') return NONE;
  return { sql: `${column} ${sql} ${parameters.int64(value.value)}`, isExact: true };
}

function compareCode(
  column: string,
  names: readonly string[],
  operator: traceql.FieldOperator,
  value: Static,
): SpanCondition {
  if ((value.type !== 'status' && value.type !== 'kind') || (operator !== '=' && operator !== '!=')) return NONE;
  return { sql: `${column} ${operator} ${names.indexOf(value.value.toUpperCase())}`, isExact: true };
}

/** undefined: it is not that a whole id is equal. */
function compareId(
  column: string,
  bytes: 8 | 16,
  operator: traceql.FieldOperator,
  value: Static,
  parameters: SqlParameters,
): SpanCondition | undefined {
  if (operator !== '=' || value.type !== 'string' || value.value === '') return undefined;
  const padded = bytes === 16 ? value.value.padStart(32, '0') : value.value;
  if (padded.length !== bytes * 2 || !/^[0-9a-f]+$/.test(padded)) return NONE;
  return { sql: `${column} = ${parameters.fixedBytes(padded, bytes)}`, isExact: true };
}

/** Roots have the parent -1, all others none below 0: the one comparison of nested sets that a row can answer alone. */
function compareWithRoots(operator: traceql.FieldOperator, value: Static): SpanCondition {
  const holds = (parent: number): boolean =>
    applyOperator(operator, { type: 'int', value: parent }, value).value === true;
  const far = 1 + Math.abs(Number(value.value));
  const others = [0, 1, 2, far, far * 2].map(holds);
  if (holds(-1) && !others.includes(true)) return { sql: isRoot, isExact: Number(value.value) <= 0 };
  if (!holds(-1) && !others.includes(false) && Number(value.value) <= 0) return { sql: `NOT ${isRoot}`, isExact: true };
  return ANY;
}
