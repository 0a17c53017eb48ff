import type { SettingsMap } from '../../config/settings-map.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { editingComponent } from '../editing-component.ts';
import { Regex, RegexError } from '../regex.ts';
import { redactLogs, redactPoints, redactSpans } from './redaction-processor.ts';
import { HASH_FUNCTIONS, type HashFunction, Redactor } from './redactor.ts';

/** `redaction`: removes attributes that are not allowed, and masks what values must not hold. */
export const redactionFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'redaction',
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const redactor = new Redactor({
      allowAllKeys: settings.boolean('allow_all_keys', false),
      allowedKeys: new Set(settings.strings('allowed_keys')),
      ignoredKeys: new Set(settings.strings('ignored_keys')),
      ignoredKeyPatterns: patterns(settings, 'ignored_key_patterns'),
      blockedKeyPatterns: patterns(settings, 'blocked_key_patterns'),
      blockedValues: patterns(settings, 'blocked_values'),
      allowedValues: patterns(settings, 'allowed_values'),
      redactAllTypes: settings.boolean('redact_all_types', false),
      hashFunction: settings.choice<HashFunction, null>('hash_function', HASH_FUNCTIONS, null),
      summary: settings.choice('summary', ['debug', 'info', 'silent'], 'silent'),
    });
    const edits = { traces: redactSpans(redactor), metrics: redactPoints(redactor), logs: redactLogs(redactor) };
    return { mutatesData: true, create: (_, next) => editingComponent(edits, next) };
  },
};

function patterns(settings: SettingsMap, key: string): Regex[] {
  return settings.texts(key).map((text) => {
    try {
      return new Regex(text.text);
    } catch (error) {
      throw error instanceof RegexError ? text.fail(error.message) : error;
    }
  });
}
