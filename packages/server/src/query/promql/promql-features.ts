import type { EngineOptions } from './engine.ts';

/** The options of the engine that features turn on. */
export type FeatureOptions = Required<
  Pick<EngineOptions, 'parser' | 'delaysNameRemoval' | 'usesStartTimes' | 'hasTypeAndUnitLabels'>
>;

/**
 * What of PromQL Prometheus has behind `--enable-feature`, under the same names
 * (https://prometheus.io/docs/prometheus/latest/feature_flags/). The last two it has taken in since: they are always on, and their
 * names do nothing.
 */
export type PromqlFeature =
  | 'promql-experimental-functions'
  | 'promql-binop-fill-modifiers'
  | 'promql-delayed-name-removal'
  | 'promql-unquoted-utf8-names'
  | 'use-start-timestamps'
  | 'type-and-unit-labels'
  | 'promql-duration-expr'
  | 'promql-extended-range-selectors';

/** What parser and engine do with these features on. */
export function featureOptions(enabled: readonly PromqlFeature[]): FeatureOptions {
  return {
    parser: {
      experimentalFunctions: enabled.includes('promql-experimental-functions'),
      fillModifiers: enabled.includes('promql-binop-fill-modifiers'),
      durationExpressions: true,
      extendedRangeSelectors: true,
      unquotedUtf8Names: enabled.includes('promql-unquoted-utf8-names'),
    },
    delaysNameRemoval: enabled.includes('promql-delayed-name-removal'),
    usesStartTimes: enabled.includes('use-start-timestamps'),
    hasTypeAndUnitLabels: enabled.includes('type-and-unit-labels'),
  };
}
