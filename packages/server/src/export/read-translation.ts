import { TRANSLATION_STRATEGIES, type TranslationStrategy } from '@signalbox/otlp';
import type { TranslateOptions } from '@signalbox/protocols';
import type { SettingsMap } from '../config/settings-map.ts';

/**
 * Reads how OTLP metrics become Prometheus's: `add_metric_suffixes`, `translation_strategy`, `namespace`,
 * `resource_to_telemetry_conversion`, and under `labelsKey` the labels that every series gets.
 */
export function readTranslation(settings: SettingsMap, labelsKey: string): Omit<TranslateOptions, 'scopeLabels'> {
  const withSuffixes = settings.boolean('add_metric_suffixes', true);
  const fallback: TranslationStrategy = withSuffixes
    ? 'UnderscoreEscapingWithSuffixes'
    : 'UnderscoreEscapingWithoutSuffixes';
  return {
    strategy: settings.choice('translation_strategy', TRANSLATION_STRATEGIES, fallback),
    namespace: settings.string('namespace', ''),
    constLabels: [...settings.stringMap(labelsKey)],
    resourceLabels: settings.table('resource_to_telemetry_conversion').boolean('enabled', false),
  };
}
