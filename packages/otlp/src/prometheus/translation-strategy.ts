/**
 * How names of OpenTelemetry become names of Prometheus: its setting `otlp.translation_strategy`.
 *
 * - `UnderscoreEscaping…`: what is no letter, digit or underscore (in metrics also colon) becomes an underscore; otherwise
 *   names stay as they are, and PromQL quotes them: `{"http.server.duration"}`.
 * - `…WithSuffixes`: unit and kind are added to the metric's name (`_seconds`, `_total`, `_ratio`).
 */
export const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

export type TranslationStrategy = (typeof TRANSLATION_STRATEGIES)[number];

export function escapesNames(strategy: TranslationStrategy): boolean {
  return strategy.startsWith('UnderscoreEscaping');
}

export function addsSuffixes(strategy: TranslationStrategy): boolean {
  return strategy.endsWith('WithSuffixes');
}
