import type { NewSilence, SilenceMatcher } from '../../query/silence-book.ts';

const MAX_MATCHERS = 100;
const MAX_TEXT_LENGTH = 4_096;

/**
 * Reads a silence as Alertmanager's API has it (`postableSilence` of
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml). Throws an error that says what is wrong.
 */
export function readSilence(body: unknown): NewSilence {
  const fields = record(body, 'a silence');
  if (!Array.isArray(fields.matchers) || fields.matchers.length > MAX_MATCHERS) {
    throw new Error(`matchers: expected a list of at most ${MAX_MATCHERS}`);
  }
  const id = text(fields, 'id', '');
  return {
    matchers: fields.matchers.map(readMatcher),
    startsAt: time(fields, 'startsAt'),
    endsAt: time(fields, 'endsAt'),
    createdBy: text(fields, 'createdBy'),
    comment: text(fields, 'comment'),
    ...(id === '' ? {} : { id }),
  };
}

function readMatcher(given: unknown): SilenceMatcher {
  const fields = record(given, 'a matcher');
  const name = text(fields, 'name');
  if (name === '') throw new Error('a matcher needs a name');
  return {
    name,
    value: text(fields, 'value'),
    isRegex: flag(fields, 'isRegex', false),
    isEqual: flag(fields, 'isEqual', true),
  };
}

function record(given: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>;
  throw new Error(`${what}: expected an object`);
}

function text(fields: Readonly<Record<string, unknown>>, name: string, otherwise?: string): string {
  const value = fields[name] ?? otherwise;
  if (typeof value === 'string' && value.length <= MAX_TEXT_LENGTH) return value;
  throw new Error(`${name}: expected a text of at most ${MAX_TEXT_LENGTH} characters`);
}

function flag(fields: Readonly<Record<string, unknown>>, name: string, otherwise: boolean): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value === 'boolean') return value;
  throw new Error(`${name}: expected true or false`);
}

function time(fields: Readonly<Record<string, unknown>>, name: string): number {
  const milliseconds = Date.parse(text(fields, name));
  if (Number.isFinite(milliseconds)) return milliseconds;
  throw new Error(`${name}: expected a time such as 2026-01-31T12:00:00Z`);
}
