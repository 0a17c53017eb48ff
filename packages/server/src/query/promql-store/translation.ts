import type { TranslationStrategy } from '@signalbox/otlp';

/** How OTLP metrics appear to PromQL: the section `otlp` of Prometheus's configuration, with its defaults. */
export interface Translation {
  readonly strategy: TranslationStrategy;
  /** Keys of resource attributes that become labels of every series of the resource; `*`: all. */
  readonly promoteResourceAttributes: readonly string[];
  /** Leaves `service.name` and what else makes up `job` and `instance` among the labels of `target_info`. */
  readonly keepIdentifyingResourceAttributes: boolean;
  /** Adds the labels `otel_scope_name`, `otel_scope_version` and `otel_scope_<attribute>`. */
  readonly promoteScopeMetadata: boolean;
  /** Adds the labels `__type__` and `__unit__`: Prometheus's feature `type-and-unit-labels`. */
  readonly typeAndUnitLabels: boolean;
}

export const DEFAULT_TRANSLATION: Translation = {
  strategy: 'UnderscoreEscapingWithSuffixes',
  promoteResourceAttributes: [],
  keepIdentifyingResourceAttributes: false,
  promoteScopeMetadata: false,
  typeAndUnitLabels: false,
};
