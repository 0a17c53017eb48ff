import type { SqlParameters } from '../sql-parameters.ts';

/** SQL about the labels that `| json` makes of a line, as far as they are asked for. */
export interface JsonLabels {
  /**
   * Whether `members` are all that matters of a line: it is valid JSON, and of the members that could become one of the labels each is
   * written in the way that SQL looks for. Lines for which this is not so have to be read.
   */
  readonly isPlain: string;
  /** What of the line makes the labels, each member as `,"name":value` as it is written in the line (`String`); '' for no labels. */
  readonly members: string;
}

/** Names of which every character stands for itself in a line, in expressions, and in SQL's search. */
const SIMPLE_LABEL = /^[A-Za-z][A-Za-z0-9_]*$/;
const MAX_LABELS = 6;
/** Below what the parser of lines reads (pipeline/scan-json.ts). */
const MAX_BRACKETS = 90;

const ESCAPE = String.raw`\\(?:u[0-9a-fA-F]{4}|.)`;
/** What is cut off from names, and more. */
const AROUND = String.raw`(?:${ESCAPE}|[^"\\A-Za-z0-9_])*`;

/**
 * The labels of `| json`; undefined: too many, or of names that SQL can't look for.
 *
 * A label `a_b` is made of a member `a_b`, of `b` inside of `a`, or of a name in which something else stood for `_`: in every case of
 * a key that begins with `a`. So a line is plain where no key does, or where there is one such key, and it is either of the
 * first two in the outermost object. Escaped letters would hide keys, which is why no line with them is plain.
 *
 * @param edited what stands for a member instead of its value, by name
 */
export function jsonLabels(
  labels: readonly string[],
  parameters: SqlParameters,
  edited: ReadonlyMap<string, string> = new Map(),
): JsonLabels | undefined {
  if (labels.length > MAX_LABELS || !labels.every((label) => SIMPLE_LABEL.test(label))) return undefined;
  // One that is also there as `_extracted` depends on the order of members.
  if (labels.some((label) => label.endsWith('_extracted'))) return undefined;
  const isValid = [
    'body_type = 1',
    `startsWith(body, ${parameters.string('{')})`,
    `position(body, ${parameters.string('\\u00')}) = 0`,
    // Behind an escaped backslash `simpleJSONExtractRaw` takes a quote for escaped as well.
    `position(body, ${parameters.string('\\\\"')}) = 0`,
    `countSubstrings(body, ${parameters.string('{')}) + countSubstrings(body, ${parameters.string('[')}) < ${MAX_BRACKETS}`,
    // Where a label's member is found, the engine has read the whole line already.
    `(${[...labels.map((label) => isPlace(label, parameters)), 'isValidJSON(body)'].join(' OR ')})`,
  ];
  const names = [...new Set(labels.flatMap((label) => [label, firstPart(label)]))];
  return {
    isPlain: `(${[...isValid, ...labels.map((label) => isSure(label, parameters))].join(' AND ')})`,
    members: joined(names.map((name) => member(name, edited.get(name) ?? jsonValue(name, parameters), parameters))),
  };
}

/** The value of a member as it is written; only where the line is plain and has it. */
export function jsonValue(name: string, parameters: SqlParameters): string {
  return `simpleJSONExtractRaw(body, ${parameters.string(name)})`;
}

/** Whether a plain line has the member. */
export function hasMember(name: string, parameters: SqlParameters): string {
  return `position(body, ${parameters.string(`"${name}":`)}) > 0`;
}

function member(name: string, value: string, parameters: SqlParameters): string {
  return `if(${hasMember(name, parameters)}, concat(${parameters.string(`,"${name}":`)}, ${value}), '')`;
}

function firstPart(label: string): string {
  return label.split('_', 1)[0] as string;
}

/** Whether a member that makes the label is in the outermost object, which also says that the line is valid JSON. */
function isPlace(label: string, parameters: SqlParameters): string {
  const places = [...new Set([label, firstPart(label)])].map(
    (name) => `(${hasMember(name, parameters)} AND JSONHas(body, ${parameters.string(name)}))`,
  );
  return `(${places.join(' OR ')})`;
}

function isSure(label: string, parameters: SqlParameters): string {
  const first = firstPart(label);
  const times = `countSubstrings(body, ${parameters.string(first)})`;
  const keys = `countMatches(body, ${parameters.string(keysOf(label))})`;
  return `(${times} = 0 OR ${isPlace(label, parameters)} AND (${times} = 1 OR ${keys} = 1) OR ${keys} = 0)`;
}

/** An expression that finds all keys that could be or lead to a label. */
function keysOf(label: string): string {
  const first = firstPart(label);
  if (first === label) return String.raw`"${AROUND}${label}${AROUND}"\s*:`;
  return String.raw`"${AROUND}${first}(?:(?:${ESCAPE}|[^"\\A-Za-z0-9])(?:\\.|[^"\\])*)?"\s*:`;
}

function joined(parts: readonly string[]): string {
  return parts.length > 1 ? `concat(${parts.join(', ')})` : (parts[0] ?? '');
}
