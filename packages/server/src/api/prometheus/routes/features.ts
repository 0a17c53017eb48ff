import { AGGREGATORS, COMPARISON_OPERATORS, functionSignatures, SET_OPERATORS } from '@signalbox/query-language';
import type { EngineOptions } from '../../../query/promql/engine.ts';
import { boolean, listOf, mapOf, object } from '../describe-route.ts';
import { get, type PrometheusRoute } from '../prometheus-route.ts';

type Features = Readonly<Record<string, boolean>>;

const OTHER_OPERATORS = ['=~', '!~', '</', '>/', '+', '-', '*', '/', '%', '^', 'atan2', '@'];
const EXPERIMENTAL_AGGREGATORS: ReadonlySet<string> = new Set(['limitk', 'limit_ratio']);

/** What of Prometheus's features there is, by its names: clients look here before they use one. What is not named is not there. */
export function featureRoutes(engine: EngineOptions): readonly PrometheusRoute[] {
  const features = { api, promql: promql(engine), ...functionsAndOperators(engine), rules, otlp_receiver };
  return [
    get(
      'features',
      { summary: 'What of Prometheus’s features there is.', answers: mapOf(mapOf(boolean)) },
      async () => ({ data: features }),
    ),
    // Of the program's own; there are none.
    get('notifications', { summary: 'Of the program’s own: none.', answers: listOf(object({})) }, async () => ({
      data: [],
    })),
  ];
}

const api: Features = {
  admin: false,
  exclude_alerts: true,
  label_values_match: true,
  lifecycle: false,
  'openapi_3.1': true,
  'openapi_3.2': true,
  otlp_write_receiver: false,
  query_cost: false,
  query_stats: true,
  query_warnings: true,
  search: false,
  time_range_labels: true,
  time_range_series: true,
};

const rules: Features = { concurrent_rule_eval: false, keep_firing_for: true, query_offset: true };

const otlp_receiver: Features = { delta_conversion: true, native_delta_ingestion: false };

function promql({ parser = {}, delaysNameRemoval, hasTypeAndUnitLabels }: EngineOptions): Features {
  const fills = parser.fillModifiers ?? false;
  return {
    anchored: parser.extendedRangeSelectors ?? false,
    at_modifier: true,
    bool: true,
    by: true,
    delayed_name_removal: delaysNameRemoval ?? false,
    duration_expr: parser.durationExpressions ?? false,
    fill: fills,
    fill_left: fills,
    fill_right: fills,
    group_left: true,
    group_right: true,
    ignoring: true,
    negative_offset: true,
    offset: true,
    on: true,
    per_query_lookback_delta: true,
    per_step_stats: false,
    smoothed: parser.extendedRangeSelectors ?? false,
    subqueries: true,
    type_and_unit_labels: hasTypeAndUnitLabels ?? false,
    unquoted_utf8_names: parser.unquotedUtf8Names ?? false,
    without: true,
  };
}

function functionsAndOperators({ parser = {} }: EngineOptions): Readonly<Record<string, Features>> {
  const hasExperimental = parser.experimentalFunctions ?? false;
  const operators = [...COMPARISON_OPERATORS, ...SET_OPERATORS, ...OTHER_OPERATORS, ...AGGREGATORS];
  return {
    promql_functions: Object.fromEntries(
      Array.from(functionSignatures, ([name, { isExperimental }]) => [name, hasExperimental || !isExperimental]),
    ),
    promql_operators: Object.fromEntries(
      operators.map((operator) => [operator, hasExperimental || !EXPERIMENTAL_AGGREGATORS.has(operator)]),
    ),
  };
}
