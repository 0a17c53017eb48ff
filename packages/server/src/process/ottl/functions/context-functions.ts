import { MetricType } from '@signalbox/records';
import type { MetricCursor } from '../metric-cursor.ts';
import { OttlValueError } from '../ottl-error.ts';
import type { SpanCursor } from '../span-cursor.ts';
import { describe } from '../value.ts';
import { EDITORS } from './editors.ts';
import type { CommonFunction, OttlFunction, OttlFunctions } from './function.ts';
import { HASH_CONVERTERS } from './hash-converters.ts';
import { PARSE_CONVERTERS } from './parse-converters.ts';
import { REPLACE_EDITORS } from './replace-editors.ts';
import { TEXT_CONVERTERS } from './text-converters.ts';
import { TIME_CONVERTERS } from './time-converters.ts';
import { TYPE_CONVERTERS } from './type-converters.ts';

const COMMON = [
  ...EDITORS,
  ...REPLACE_EDITORS,
  ...TEXT_CONVERTERS,
  ...TYPE_CONVERTERS,
  ...HASH_CONVERTERS,
  ...PARSE_CONVERTERS,
  ...TIME_CONVERTERS,
];

const isRootSpan: OttlFunction<SpanCursor> = {
  parameters: [],
  compile:
    () =>
    ({ spans, row }) =>
      spans.parentSpanId.subarray(row * 8, row * 8 + 8).every((byte) => byte === 0),
};

const convertSumToGauge: OttlFunction<MetricCursor> = {
  parameters: [],
  compile:
    () =>
    ({ metrics: { metrics }, metric }) => {
      if (metrics.type[metric] === MetricType.Sum) {
        metrics.type[metric] = MetricType.Gauge;
        metrics.temporality[metric] = 0;
        metrics.monotonic[metric] = 0;
      }
      return undefined;
    },
};

const TEMPORALITIES = ['', 'delta', 'cumulative'];

const convertGaugeToSum: OttlFunction<MetricCursor> = {
  parameters: ['aggregation_temporality', 'is_monotonic'],
  compile: (args) => {
    const temporality = TEMPORALITIES.indexOf(args.literal('aggregation_temporality'));
    if (temporality < 1) {
      throw args.error('aggregation_temporality', '"delta" or "cumulative"');
    }
    const monotonic = args.flag('is_monotonic', false);
    return ({ metrics: { metrics }, metric }) => {
      if (metrics.type[metric] === MetricType.Gauge) {
        metrics.type[metric] = MetricType.Sum;
        metrics.temporality[metric] = temporality;
        metrics.monotonic[metric] = monotonic ? 1 : 0;
      }
      return undefined;
    };
  },
};

/** The filter processor's: whether some point of the metric has the attribute. */
const hasAttributeKey: OttlFunction<MetricCursor> = {
  parameters: ['key'],
  compile: (args) => {
    const key = args.literal('key');
    return (cursor) => cursor.somePoint((name) => name === key);
  },
};

const hasAttribute: OttlFunction<MetricCursor> = {
  parameters: ['key', 'value'],
  compile: (args) => {
    const key = args.literal('key');
    const wanted = args.value('value');
    return (cursor) => {
      const value = wanted(cursor);
      if (typeof value !== 'string') {
        throw new OttlValueError(`HasAttrOnDatapoint: value is ${describe(value)}, not a string`);
      }
      return cursor.somePoint((name, ofPoint) => name === key && ofPoint === value);
    };
  },
};

export const COMMON_FUNCTIONS: ReadonlyMap<string, CommonFunction> = new Map(COMMON);
export const SPAN_FUNCTIONS: OttlFunctions<SpanCursor> = new Map<string, OttlFunction<SpanCursor>>([
  ...COMMON,
  ['IsRootSpan', isRootSpan],
]);
export const METRIC_FUNCTIONS: OttlFunctions<MetricCursor> = new Map<string, OttlFunction<MetricCursor>>([
  ...COMMON,
  ['convert_sum_to_gauge', convertSumToGauge],
  ['convert_gauge_to_sum', convertGaugeToSum],
  ['HasAttrKeyOnDatapoint', hasAttributeKey],
  ['HasAttrOnDatapoint', hasAttribute],
]);
