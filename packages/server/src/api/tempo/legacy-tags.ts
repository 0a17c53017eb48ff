import { invalid } from './tempo-parameters.ts';

const PAIR = /\s*([^\s=]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/gy;

/** What tags are that stand for no attribute. */
const VIRTUAL: Readonly<Record<string, string>> = {
  name: 'name',
  'root.name': 'rootName',
  'root.service.name': 'rootServiceName',
};
const STATUSES: ReadonlySet<string> = new Set(['unset', 'ok', 'error']);

/**
 * The TraceQL of a search by tags in logfmt (`service.name="shop" http.status_code=500`) and by the duration of the
 * trace, as Tempo had it before TraceQL.
 */
export function traceqlOfTags(tags: string, minDuration: string, maxDuration: string): string {
  const conditions: string[] = [];
  const keys = new Set<string>();
  let end = 0;
  for (const [pair, key = '', quoted, bare] of tags.matchAll(PAIR)) {
    end += pair.length;
    if (keys.has(key)) throw invalid('tags', `invalid tags: tag ${key} has been set twice`);
    keys.add(key);
    conditions.push(condition(key, quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''));
  }
  if (tags.slice(end).trim() !== '') throw invalid('tags', 'invalid tags: must be logfmt, key=value key="a value"');
  if (minDuration !== '') conditions.push(`traceDuration >= ${minDuration}`);
  if (maxDuration !== '') conditions.push(`traceDuration <= ${maxDuration}`);
  return `{ ${conditions.join(' && ')} }`;
}

function condition(key: string, value: string): string {
  const text = JSON.stringify(value);
  if (key === 'status.code' && STATUSES.has(value)) return `status = ${value}`;
  if (key === 'error') return value === 'true' ? 'status = error' : 'status != error';
  const virtual = VIRTUAL[key];
  if (virtual !== undefined) return `${virtual} = ${text}`;
  const attribute = `."${key.replace(/[\\"]/g, '\\$&')}"`;
  if (/^-?\d{1,15}$/.test(value) || value === 'true' || value === 'false') {
    return `(${attribute} = ${text} || ${attribute} = ${value})`;
  }
  return `${attribute} = ${text}`;
}
