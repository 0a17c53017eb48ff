import type { Attributes } from '@opentelemetry/api';
import { type AggregationOption, AggregationType, InstrumentType, type ViewOptions } from '@opentelemetry/sdk-metrics';
import type { Section } from './section.ts';
import { includeExclude } from './wildcard.ts';

const instrumentTypes = {
  counter: InstrumentType.COUNTER,
  gauge: InstrumentType.GAUGE,
  histogram: InstrumentType.HISTOGRAM,
  observable_counter: InstrumentType.OBSERVABLE_COUNTER,
  observable_gauge: InstrumentType.OBSERVABLE_GAUGE,
  observable_up_down_counter: InstrumentType.OBSERVABLE_UP_DOWN_COUNTER,
  up_down_counter: InstrumentType.UP_DOWN_COUNTER,
} as const;

/** Boundaries of the schema's default. */
const defaultBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/** One entry of `meter_provider.views`. */
export function readView(view: Section): ViewOptions {
  view.require('selector');
  view.require('stream');
  const selector = view.section('selector');
  const stream = view.section('stream');
  const name = stream?.string('name');
  const instrumentName = selector?.string('instrument_name') ?? '*';
  if (name !== undefined && /[*?]/.test(instrumentName))
    stream?.error(`${stream.path}.name would give one name to many: the selector must name one instrument`, 'name');
  const types = Object.keys(instrumentTypes) as (keyof typeof instrumentTypes)[];
  const type = selector?.choice('instrument_type', types);
  const keys = stream?.section('attribute_keys');
  const isKept = keys && includeExclude({ included: keys.strings('included'), excluded: keys.strings('excluded') });
  return {
    instrumentName,
    ...optional('instrumentType', type && instrumentTypes[type]),
    ...optional('instrumentUnit', selector?.string('unit')),
    ...optional('meterName', selector?.string('meter_name')),
    ...optional('meterVersion', selector?.string('meter_version')),
    ...optional('meterSchemaUrl', selector?.string('meter_schema_url')),
    ...optional('name', name),
    ...optional('description', stream?.string('description')),
    ...optional('aggregationCardinalityLimit', stream?.integer('aggregation_cardinality_limit', 1)),
    ...optional('aggregation', readAggregation(stream?.section('aggregation'))),
    ...(isKept && { attributesProcessors: [{ process: (incoming: Attributes) => pick(incoming, isKept) }] }),
  };
}

function readAggregation(parent: Section | undefined): AggregationOption | undefined {
  const chosen = parent?.single();
  if (chosen === undefined) return undefined;
  const { key, section } = chosen;
  switch (key) {
    case 'default':
      return { type: AggregationType.DEFAULT };
    case 'drop':
      return { type: AggregationType.DROP };
    case 'sum':
      return { type: AggregationType.SUM };
    case 'last_value':
      return { type: AggregationType.LAST_VALUE };
    case 'explicit_bucket_histogram':
      return {
        type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
        options: {
          boundaries: [...(section.numbers('boundaries') ?? defaultBoundaries)],
          recordMinMax: section.boolean('record_min_max') ?? true,
        },
      };
    case 'base2_exponential_bucket_histogram':
      section.unsupported('max_scale', 'the scale begins at 20 and falls as values spread');
      return {
        type: AggregationType.EXPONENTIAL_HISTOGRAM,
        options: {
          maxSize: section.integer('max_size', 2) ?? 160,
          recordMinMax: section.boolean('record_min_max') ?? true,
        },
      };
    default:
      section.skip();
      section.error(`${section.path} is no aggregation`);
      return undefined;
  }
}

function pick(attributes: Attributes, isKept: (name: string) => boolean): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isKept(name)));
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}
