import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { labelsKey } from '../alert/rules/alert.ts';
import { describeProblem, findRuleFiles, readRuleFile } from '../alert/rules/find-rule-files.ts';
import type { RuleFile } from '../alert/rules/rule-file.ts';
import { parseRuleTestFile } from '../alert/unit-test/parse-test-file.ts';
import { runRuleTest } from '../alert/unit-test/run-rule-test.ts';
import { type FeatureOptions, featureOptions, type PromqlFeature } from '../query/promql/promql-features.ts';

/** `signalbox rules check`: says for each file how many rules it has, or what is wrong with it; gives whether all are good. */
export function checkRules(
  paths: readonly string[],
  features: readonly PromqlFeature[],
  print: (line: string) => void,
): boolean {
  const { parser } = featureOptions(features);
  let isGood = true;
  for (const path of paths) {
    const { file, problems, warnings } = readRuleFile(path, parser);
    for (const problem of problems) print(describeProblem(problem));
    for (const { message, ...warning } of warnings) {
      print(describeProblem({ ...warning, message: `warning: ${message}` }));
    }
    if (problems.length > 0) {
      isGood = false;
      continue;
    }
    const count = file.groups.reduce((sum, { rules }) => sum + rules.length, 0);
    print(`${path}: ${count} rule${count === 1 ? '' : 's'} found, no problem.`);
    for (const name of duplicates(file)) print(`${path}: warning: more than one rule of the name and labels ${name}`);
  }
  return isGood;
}

/** Names, with their labels, that several rules of a file have: their series would be one. */
function duplicates(file: RuleFile): string[] {
  const keys = file.groups.flatMap(({ rules }) => rules.map(({ name, labels }) => `${name} ${labelsKey(labels)}`));
  return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
}

/** `signalbox rules test`: runs files of unit tests and says which passed; gives whether all did. */
export async function testRules(
  paths: readonly string[],
  features: readonly PromqlFeature[],
  print: (line: string) => void,
): Promise<boolean> {
  const options = featureOptions(features);
  let isGood = true;
  for (const path of paths) {
    const failures = await testFailures(path, options);
    print(failures.length === 0 ? `${path}: passed` : `${path}: FAILED`);
    for (const failure of failures) print(failure.replace(/^/gm, '  '));
    isGood &&= failures.length === 0;
  }
  return isGood;
}

async function testFailures(path: string, options: FeatureOptions): Promise<string[]> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return [(error as Error).message];
  }
  const { file, problems } = parseRuleTestFile(text, options.parser);
  if (problems.length > 0) return problems.map((problem) => describeProblem({ path, ...problem }));
  const rules = findRuleFiles(file.ruleFiles, dirname(path), options.parser);
  if (rules.problems.length > 0) return rules.problems.map(describeProblem);
  const failures: string[] = [];
  for (const [index, test] of file.tests.entries()) {
    const name = test.name === '' ? `test ${index + 1}` : `test ${index + 1}, ${test.name}`;
    for (const failure of await runRuleTest(test, file, rules.files, options)) failures.push(`${name}: ${failure}`);
  }
  return failures;
}
