import { escapesNames, type TranslationStrategy } from './translation-strategy.ts';

/**
 * The name of an attribute's label in Prometheus, as its defaults have it: several underscores in a row stay, a single one in
 * front becomes `key_`, and so does a digit. Undefined for a name of nothing but underscores.
 *
 * Several keys can become one name: then their values, in the order of the keys, are joined with `;`.
 */
export function prometheusLabelName(key: string, strategy: TranslationStrategy): string | undefined {
  const name = escapesNames(strategy) ? escaped(key) : key;
  return /^_*$/.test(name) ? undefined : name;
}

function escaped(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9]/gu, '_');
  if (/^\d/.test(name)) return `key_${name}`;
  return /^_(?!_)/.test(name) ? `key${name}` : name;
}
