import {
  compileMatcher,
  type LabelFormatStage,
  type LabelListStage,
  type LineFormatStage,
} from '@signalbox/query-language';
import { TemplateError } from '../../../go-template/template-error.ts';
import { compileLineTemplate } from '../template/line-template.ts';
import type { LineLabels } from './line-labels.ts';
import type { StageFunction } from './stage.ts';

const TEMPLATE_ERROR = 'TemplateFormatErr';
const ERRORS = new Set(['__error__', '__error_details__', '__preserve_error__']);

/** Escape sequences that colour a terminal's text. */
const ANSI =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u001b\u009b][[\]()#;?]*(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\u0007|(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])/g;

/** Throws TemplateError for a template that can't be parsed. */
export function lineFormatStage({ template }: LineFormatStage): StageFunction {
  let expand: ReturnType<typeof compileLineTemplate>;
  try {
    expand = compileLineTemplate('line', template);
  } catch (error) {
    throw prefixed(error, 'invalid line template: ');
  }
  return (line) => {
    const text = expanded(line.labels, () => expand(line, new Map(line.labels.entries())));
    if (text !== undefined) line.line = text;
    return true;
  };
}

/** Throws TemplateError for a template that can't be parsed. */
export function labelFormatStage({ formats }: LabelFormatStage): StageFunction {
  const steps = formats.map(({ label, isRename, value }) => {
    if (isRename) return { label, from: value, expand: undefined };
    try {
      return { label, from: '', expand: compileLineTemplate('label', value) };
    } catch (error) {
      throw prefixed(error, `invalid template for label '${label}': `);
    }
  });
  return (line) => {
    const { labels } = line;
    let before: ReadonlyMap<string, string> | undefined;
    for (const { label, from, expand } of steps) {
      if (expand) {
        before ??= new Map(labels.entries());
        const known = before;
        const text = expanded(labels, () => expand(line, known));
        if (text !== undefined) labels.set(label, text);
        continue;
      }
      const value = labels.get(from);
      if (value === undefined) continue;
      labels.set(label, value);
      labels.delete(from);
    }
    return true;
  };
}

/** What goes wrong while a template is filled in becomes the line's error. */
function expanded(labels: LineLabels, expand: () => string): string | undefined {
  try {
    return expand();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    labels.fail(TEMPLATE_ERROR, error.message);
    return undefined;
  }
}

function prefixed(error: unknown, prefix: string): unknown {
  return error instanceof TemplateError ? new TemplateError(prefix + error.message, { cause: error }) : error;
}

export function decolorizeStage(): StageFunction {
  return (line) => {
    line.line = line.line.replace(ANSI, '');
    return true;
  };
}

export function dropStage({ labels: given }: LabelListStage): StageFunction {
  const conditions = given.map((label) =>
    typeof label === 'string'
      ? { name: label, matches: undefined }
      : { name: label.name, matches: compileMatcher(label) },
  );
  return ({ labels }) => {
    for (const { name, matches } of conditions) {
      if (matches && !matches(labels.valueOf(name))) continue;
      if (name === '__error__') labels.error = '';
      else if (name === '__error_details__') labels.errorDetails = '';
      else labels.delete(name);
    }
    return true;
  };
}

export function keepStage({ labels: given }: LabelListStage): StageFunction {
  const names = new Set(given.filter((label) => typeof label === 'string'));
  const matchers = given
    .filter((label) => typeof label !== 'string')
    .map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
  return ({ labels }) => {
    for (const [name, value] of labels.entries()) {
      if (ERRORS.has(name) || names.has(name)) continue;
      if (!matchers.some((matcher) => matcher.name === name && matcher.matches(value))) labels.delete(name);
    }
    return true;
  };
}
