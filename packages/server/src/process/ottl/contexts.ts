import type { Path } from './ast.ts';
import type { Field, Fields } from './field.ts';
import type { LogCursor } from './log-cursor.ts';
import { LOG_FIELDS } from './log-fields.ts';
import type { MetricCursor } from './metric-cursor.ts';
import { METRIC_FIELDS, POINT_FIELDS } from './metric-fields.ts';
import type { RecordCursor } from './record-cursor.ts';
import { CACHE_FIELDS, RESOURCE_FIELDS, SCOPE_FIELDS } from './resource-fields.ts';
import type { SpanCursor } from './span-cursor.ts';
import { SPAN_EVENT_FIELDS, SPAN_FIELDS } from './span-fields.ts';

export type ContextName = 'resource' | 'scope' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log';

/** What statements of a kind can see: fields of the thing they work on, and of what it belongs to. */
export interface OttlContext<Cursor> {
  readonly name: ContextName;
  /** By the name that a path begins with. Paths that begin with none of them are of the thing itself. */
  readonly fields: Readonly<Record<string, Fields<Cursor>>>;
}

const origin = { resource: RESOURCE_FIELDS, scope: SCOPE_FIELDS, instrumentation_scope: SCOPE_FIELDS };

export const RESOURCE_CONTEXT: OttlContext<RecordCursor> = {
  name: 'resource',
  fields: { resource: { ...RESOURCE_FIELDS, ...CACHE_FIELDS } },
};

export const SCOPE_CONTEXT: OttlContext<RecordCursor> = {
  name: 'scope',
  fields: { ...origin, scope: { ...SCOPE_FIELDS, ...CACHE_FIELDS } },
};

export const SPAN_CONTEXT: OttlContext<SpanCursor> = {
  name: 'span',
  fields: { ...origin, span: { ...SPAN_FIELDS, ...CACHE_FIELDS } },
};

export const SPAN_EVENT_CONTEXT: OttlContext<SpanCursor> = {
  name: 'spanevent',
  fields: { ...origin, span: SPAN_FIELDS, spanevent: { ...SPAN_EVENT_FIELDS, ...CACHE_FIELDS } },
};

export const METRIC_CONTEXT: OttlContext<MetricCursor> = {
  name: 'metric',
  fields: { ...origin, metric: { ...METRIC_FIELDS, ...CACHE_FIELDS } },
};

export const DATAPOINT_CONTEXT: OttlContext<MetricCursor> = {
  name: 'datapoint',
  fields: { ...origin, metric: METRIC_FIELDS, datapoint: { ...POINT_FIELDS, ...CACHE_FIELDS } },
};

export const LOG_CONTEXT: OttlContext<LogCursor> = {
  name: 'log',
  fields: { ...origin, log: { ...LOG_FIELDS, ...CACHE_FIELDS } },
};

/** The field that the names of a path lead to, without its keys; a message when there is none. */
export function fieldOf<Cursor>({ name, fields }: OttlContext<Cursor>, path: Path): Field<Cursor> | string {
  const [first = '', ...rest] = path.names;
  const ofPrefix = Object.hasOwn(fields, first) ? fields[first] : undefined;
  const [known, wanted] = ofPrefix === undefined ? [fields[name], path.names] : [ofPrefix, rest];
  const joined = wanted.join('.');
  if (known !== undefined && Object.hasOwn(known, joined)) {
    return known[joined] as Field<Cursor>;
  }
  const among = Object.keys(known ?? {}).join(', ');
  const what = ofPrefix === undefined ? name : first;
  return `${what} has no field ${joined === '' ? '(none is named)' : joined} (known: ${among})`;
}
