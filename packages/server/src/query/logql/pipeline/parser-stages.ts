import {
  capturesOf,
  type JsonStage,
  type LogfmtStage,
  type PatternStage,
  type RegexpStage,
} from '@signalbox/query-language';
import { RE2JS } from 're2js';
import type { LineLabels } from './line-labels.ts';
import { type JsonKind, JsonScanError, scanObject, unescapeJson, valueAtPath } from './scan-json.ts';
import { scanLogfmt } from './scan-logfmt.ts';
import { type StageFunction, sanitizeLabel } from './stage.ts';

const JSON_ERROR = 'JSONParserErr';
const LOGFMT_ERROR = 'LogfmtParserErr';
/** Of the names of labels that are remembered for each stage. */
const MAX_REMEMBERED = 2000;

/** Names in lines are the same over and over. */
function remembering(make: (key: string) => string): (key: string) => string {
  const known = new Map<string, string>();
  return (key) => {
    let name = known.get(key);
    if (name === undefined) {
      name = make(key);
      if (known.size < MAX_REMEMBERED) known.set(key, name);
    }
    return name;
  };
}

/** Runs what may find that the line is no JSON, which becomes the line's error. */
function scanning(labels: LineLabels, scan: () => void): void {
  try {
    scan();
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    labels.fail(JSON_ERROR, error.message);
  }
}

/**
 * `| json`: all members become labels, those of inner objects under the joined names.
 *
 * @param onLabel is told where in the line each label comes from
 */
export function jsonMembers(onLabel?: (label: string, path: readonly string[]) => void): StageFunction {
  const nameOf = remembering(sanitizeLabel);
  const visit = (labels: LineLabels, line: string, start: number, prefix: readonly string[]): void => {
    scanObject(line, start, (key, kind, from, to) => {
      if (kind === 'null' || kind === 'array') return;
      if (kind === 'object') {
        visit(labels, line, from, [...prefix, key]);
        return;
      }
      const value = kind === 'string' ? unescapeJson(line.slice(from, to)) : line.slice(from, to);
      const name = prefix.length > 0 ? joinedName([...prefix, key]) : nameOf(key);
      if (name === '' && prefix.length === 0) return;
      const label = labels.extract(name, value);
      if (label !== undefined) onLabel?.(label, [...prefix, key]);
    });
  };
  return ({ line, labels }) => {
    scanning(labels, () => visit(labels, line, 0, []));
    return true;
  };
}

function joinedName(parts: readonly string[]): string {
  let name = '';
  for (const part of parts) {
    const text = part.trim();
    if (text === '') continue;
    if (name === '') name = /^[0-9]/.test(text) ? '_' : '';
    else name += '_';
    name += text.replace(/[^A-Za-z0-9_]/gu, '_');
  }
  return name;
}

export function jsonStage({ extractions }: JsonStage): StageFunction {
  if (extractions.length === 0) return jsonMembers();
  return ({ line, labels }) => {
    if (line === '') return true;
    if (!/^["{[]/.test(line)) {
      labels.fail(JSON_ERROR);
      return true;
    }
    let found = 0;
    for (const { label, path = [] } of extractions) {
      scanning(labels, () => {
        const value = valueAtPath(line, path);
        if (!value) return;
        found++;
        labels.set(labels.nameOfParsed(label), textOf(line, value));
      });
    }
    if (found < extractions.length) {
      for (const { label } of extractions) if (labels.get(label) === undefined) labels.set(label, '');
    }
    return true;
  };
}

function textOf(line: string, { kind, start, end }: { kind: JsonKind; start: number; end: number }): string {
  if (kind === 'null') return '';
  return kind === 'string' || kind === 'array' ? unescapeJson(line.slice(start, end)) : line.slice(start, end);
}

export function logfmtStage({ isStrict, keepsEmpty, extractions }: LogfmtStage): StageFunction {
  const nameOf = remembering(sanitizeLabel);
  const wanted = new Map<string, string[]>();
  for (const { label, expression } of extractions) {
    const key = sanitizeLabel(expression);
    wanted.set(key, [...(wanted.get(key) ?? []), label]);
  }
  return ({ line, labels }) => {
    if (wanted.size > 0) {
      for (const { label } of extractions) if (labels.nameOfParsed(label) === label) labels.set(label, '');
    }
    const fault = scanLogfmt(line, isStrict, (key, value) => {
      const name = nameOf(key);
      if (name === '') return;
      if (wanted.size === 0) {
        if (value !== '' || keepsEmpty) labels.extract(name, value);
        return;
      }
      for (const label of wanted.get(name) ?? []) labels.set(labels.nameOfParsed(label), value);
    });
    if (isStrict && fault !== undefined) labels.fail(LOGFMT_ERROR, fault);
    return true;
  };
}

export function regexpStage({ expression }: RegexpStage): StageFunction {
  const compiled = RE2JS.compile(expression);
  const names = Object.entries(compiled.namedGroups());
  return ({ line, labels }) => {
    const matcher = compiled.matcher(line);
    if (!matcher.find()) return true;
    for (const [name, group] of names) labels.extract(name, matcher.group(group) ?? '');
    return true;
  };
}

export function patternStage({ pattern }: PatternStage): StageFunction {
  return ({ line, labels }) => {
    for (const [name, value] of capturesOf(pattern, line)) labels.extract(name, value);
    return true;
  };
}

/** `| unpack`: an object of strings that a shipper has packed; `_entry` is the line that it was made of. */
export function unpackStage(): StageFunction {
  return (line) => {
    const { labels, line: text } = line;
    if (text === '') return true;
    if (!text.startsWith('{')) {
      labels.fail(JSON_ERROR, 'expecting json object(6), but it is not');
      return true;
    }
    scanning(labels, () => {
      const found: [string, string][] = [];
      let entry: string | undefined;
      scanObject(text, 0, (key, kind, start, end) => {
        if (kind !== 'string') return;
        const value = unescapeJson(text.slice(start, end));
        if (key === '_entry') entry = value;
        else found.push([key, value]);
      });
      if (entry === undefined) return;
      for (const [key, value] of found) labels.extract(sanitizeLabel(key), value);
      line.line = entry;
    });
    return true;
  };
}
