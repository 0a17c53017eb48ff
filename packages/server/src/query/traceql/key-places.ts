import { fieldsOf, type traceql } from '@signalbox/query-language';
import { attributeExists, attributeHasType } from '../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { mayHold } from './json-keys.ts';

/** Where attributes of one key may be, besides the scalar ones of spans. */
export interface KeyPlaces {
  /** Arrays and other composite values of spans, and of resources. */
  readonly composite: boolean;
  readonly compositeResource: boolean;
  readonly resource: boolean;
  readonly event: boolean;
  readonly link: boolean;
  readonly instrumentation: boolean;
}

/** Nothing is known. */
export const EVERY_PLACE: KeyPlaces = {
  composite: true,
  compositeResource: true,
  resource: true,
  event: true,
  link: true,
  instrumentation: true,
};

/**
 * Finds out where the keys of expressions are not, within the time range: a condition on the spans' own scalar attributes
 * alone is exact, and lets the engine use its index on their values.
 */
export async function findKeyPlaces(
  context: QueryContext,
  exprs: readonly traceql.FieldExpr[],
  range: TimeRange,
): Promise<ReadonlyMap<string, KeyPlaces>> {
  const scopes = new Map<string, Set<traceql.AttributeScope>>();
  for (const field of exprs.flatMap(fieldsOf)) {
    // The service has a column of its own.
    if (field.kind !== 'attribute' || (field.scope === 'resource' && field.name === 'service.name')) continue;
    const known = scopes.get(field.name);
    if (known === undefined) scopes.set(field.name, new Set([field.scope]));
    else known.add(field.scope);
  }
  if (scopes.size === 0) return new Map();
  const parameters = new SqlParameters();
  const asked = [...scopes].flatMap(([name, of]) => placesSql(name, of, range, parameters));
  const [cells = []] = await select<number[]>(context, parameters.statement(`SELECT\n  ${asked.join(',\n  ')}`));
  return new Map(
    [...scopes.keys()].map((name, index) => {
      const own = cells.slice(index * placesPerKey, (index + 1) * placesPerKey).map((cell) => cell !== 0);
      const [composite, compositeResource, resource, event, link, instrumentation] = own;
      return [name, { composite, compositeResource, resource, event, link, instrumentation } as KeyPlaces];
    }),
  );
}

const placesPerKey = 6;

/** Numbers that are 0 where the key is not, in the order of `KeyPlaces`. */
function placesSql(
  name: string,
  scopes: ReadonlySet<traceql.AttributeScope>,
  range: TimeRange,
  parameters: SqlParameters,
): string[] {
  const key = parameters.string(name);
  const inTime = isInTime(range, parameters);
  const partFrom = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const inParts = `time >= ${partFrom} AND time <= ${parameters.secondTime(range.to / nanosPerSecond)}`;
  const isAnywhere = scopes.has('none');
  const ask = (isAsked: boolean, table: string, time: string, condition: () => string): string =>
    isAsked ? `EXISTS(SELECT 1 FROM ${table} WHERE ${time} AND ${condition()} LIMIT 1)` : '1';
  const isOwn = isAnywhere || scopes.has('span');
  const isOfResource = isAnywhere || scopes.has('resource');
  return [
    ask(isOwn, 'spans', inTime, () => attributeHasType('attributes', 'other', key)),
    ask(isOfResource, 'resources', inParts, () => attributeHasType('resource', 'other', key)),
    ask(isAnywhere, 'resources', inParts, () => attributeExists('resource', key)),
    ask(isAnywhere, 'spans', inTime, () => mayHold('event_attributes', name, parameters)),
    ask(isAnywhere, 'spans', inTime, () => mayHold('link_attributes', name, parameters)),
    ask(isAnywhere, 'spans', inTime, () => mayHold('[scope_attributes]', name, parameters)),
  ];
}
