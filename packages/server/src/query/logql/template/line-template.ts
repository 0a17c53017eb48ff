import { executeTemplateNow, type TemplateFunction } from '../../../go-template/execute.ts';
import { GoMap, type GoValue } from '../../../go-template/go-values.ts';
import { parseTemplate } from '../../../go-template/parser.ts';
import type { PipelineLine } from '../pipeline/stage.ts';
import { GoTime } from './go-time.ts';
import { lineFunctions } from './line-functions.ts';

const NAMES: ReadonlySet<string> = new Set([...Object.keys(lineFunctions), '__line__', '__timestamp__']);

/** Makes the text of a line's labels. Throws TemplateError. */
export type LineTemplate = (line: PipelineLine, labels: ReadonlyMap<string, string>) => string;

/**
 * Compiles the template of a `line_format` or a `label_format`. Throws TemplateError when it can't be parsed.
 *
 * @param name as messages call it
 */
export function compileLineTemplate(name: 'line' | 'label', source: string): LineTemplate {
  const simple = /^\{\{-? *\.([A-Za-z_]\w*) *-?\}\}$/.exec(source)?.[1];
  if (simple !== undefined) return (_, labels) => labels.get(simple) ?? '';
  const template = parseTemplate(name, source, NAMES);
  let current: PipelineLine | undefined;
  const functions = new Map<string, TemplateFunction<GoValue>>(Object.entries(lineFunctions));
  functions.set('__line__', () => current?.line);
  functions.set('__timestamp__', () => new GoTime(current?.time ?? 0n));
  return (line, labels) => {
    current = line;
    return executeTemplateNow(template, new GoMap(labels, ''), functions);
  };
}
