import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ParserOptions, parsePromql } from '@signalbox/query-language';
import { globSync } from 'tinyglobby';
import { MAX_RULE_FILE_LENGTH, parseRuleFile } from './parse-rule-file.ts';
import type { RuleFile, RuleFileProblem } from './rule-file.ts';

/** A place in a file where something is wrong; `line` 0: the file as a whole. */
export interface FoundProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface FoundRules {
  /** By their paths, in order. */
  readonly files: ReadonlyMap<string, RuleFile>;
  readonly problems: readonly FoundProblem[];
  /** What is left out of rules that can be used. */
  readonly warnings: readonly FoundProblem[];
}

/** Reads the rules of all files that the globs name, relative to `folder`. A glob that names none is a problem. */
export function findRuleFiles(globs: readonly string[], folder: string, parser: ParserOptions): FoundRules {
  const problems: FoundProblem[] = [];
  const warnings: FoundProblem[] = [];
  const paths = new Set<string>();
  for (const glob of globs) {
    const isPlain = !/[*?[\]{}]/.test(glob);
    const found = isPlain ? [glob] : globSync(glob, { cwd: folder, absolute: true });
    for (const path of found.sort()) paths.add(resolve(folder, path));
    if (found.length === 0) problems.push(atFile(resolve(folder, glob), 'no file has such a name'));
  }
  const files = new Map<string, RuleFile>();
  for (const path of paths) {
    const read = readRuleFile(path, parser);
    problems.push(...read.problems);
    warnings.push(...read.warnings);
    files.set(path, read.file);
  }
  return { files, problems, warnings };
}

/** Reads one file of rules. It must not be used when there are problems. */
export function readRuleFile(
  path: string,
  parser: ParserOptions,
): { readonly file: RuleFile } & Pick<FoundRules, 'problems' | 'warnings'> {
  let text: string;
  try {
    // What is too large is not read only to be refused.
    text =
      statSync(path).size > 4 * MAX_RULE_FILE_LENGTH
        ? ' '.repeat(MAX_RULE_FILE_LENGTH + 1)
        : readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    return { file: { groups: [] }, problems: [atFile(path, reason)], warnings: [] };
  }
  const { file, problems, warnings } = parseRuleFile(text, (expression) => void parsePromql(expression, parser));
  const inFile = (problem: RuleFileProblem): FoundProblem => ({ path, ...problem });
  return { file, problems: problems.map(inFile), warnings: warnings.map(inFile) };
}

function atFile(path: string, message: string): FoundProblem {
  return { path, line: 0, column: 0, message };
}

/** `rules.yml:3:5: message` */
export function describeProblem({ path, line, column, message }: FoundProblem): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}:${column}: ${message}`;
}
