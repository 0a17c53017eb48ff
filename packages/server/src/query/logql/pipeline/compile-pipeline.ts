import { LogqlParseError, printStage, type Stage } from '@signalbox/query-language';
import { TemplateError } from '../../../go-template/template-error.ts';
import { labelTest, lineFilterStage } from './filter-stages.ts';
import { decolorizeStage, dropStage, keepStage, labelFormatStage, lineFormatStage } from './format-stages.ts';
import { jsonStage, logfmtStage, patternStage, regexpStage, unpackStage } from './parser-stages.ts';
import type { StageFunction } from './stage.ts';

const PARSERS: ReadonlySet<Stage['kind']> = new Set<Stage['kind']>(['json', 'logfmt', 'pattern', 'unpack']);

/**
 * Makes one function of the stages of a pipeline. Throws LogqlParseError for a template that can't be parsed.
 *
 * @param needsLabels false: nobody looks at labels, so that parsers have nothing to do, and nothing to complain about
 */
export function compilePipeline(stages: readonly Stage[], needsLabels = true): StageFunction {
  const functions = stages
    .filter(({ kind }) => needsLabels || !PARSERS.has(kind))
    .map((stage) => {
      try {
        return compileStage(stage);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new LogqlParseError(`stage '${printStage(stage)}' : ${error.message}`, stage.range);
      }
    });
  return (line) => {
    for (const run of functions) if (!run(line)) return false;
    return true;
  };
}

function compileStage(stage: Stage): StageFunction {
  switch (stage.kind) {
    case 'lineFilter':
      return lineFilterStage(stage);
    case 'labelFilter': {
      const test = labelTest(stage.filter);
      return ({ labels }) => test(labels);
    }
    case 'json':
      return jsonStage(stage);
    case 'logfmt':
      return logfmtStage(stage);
    case 'regexp':
      return regexpStage(stage);
    case 'pattern':
      return patternStage(stage);
    case 'unpack':
      return unpackStage();
    case 'lineFormat':
      return lineFormatStage(stage);
    case 'labelFormat':
      return labelFormatStage(stage);
    case 'decolorize':
      return decolorizeStage();
    case 'drop':
      return dropStage(stage);
    case 'keep':
      return keepStage(stage);
  }
}
