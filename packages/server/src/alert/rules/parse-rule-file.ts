import { parsePromqlDuration } from '@signalbox/query-language';
import type { Node } from 'yaml';
import { TemplateError } from '../../go-template/template-error.ts';
import { parseAlertTemplate } from '../template/expand-template.ts';
import { YamlReader } from '../yaml-reader.ts';
import type { RuleDefinition, RuleFile, RuleFileProblem, RuleGroupDefinition } from './rule-file.ts';

/** A file of rules larger than this is refused: it is read whole. */
export const MAX_RULE_FILE_LENGTH = 4 << 20;

const GROUP_FIELDS = ['name', 'interval', 'query_offset', 'limit', 'rules', 'labels'];
const RULE_FIELDS = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

export interface ParsedRuleFile {
  readonly file: RuleFile;
  readonly problems: readonly RuleFileProblem[];
  /** What is left out of rules that can be used. */
  readonly warnings: readonly RuleFileProblem[];
}

/**
 * Reads a file of rules in Prometheus's format
 * (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/) and checks everything that can be checked
 * without data: names, expressions, templates. The rules must not be used when there are problems.
 *
 * @param checkExpression throws what is wrong with a text as a PromQL expression
 */
export function parseRuleFile(text: string, checkExpression: (expression: string) => void): ParsedRuleFile {
  if (text.length > MAX_RULE_FILE_LENGTH) {
    return { file: { groups: [] }, problems: [{ message: 'larger than 4 MiB', line: 1, column: 1 }], warnings: [] };
  }
  const yaml = new YamlReader(text, { allowsMore: true });
  const groups = new RuleFileParser(yaml, checkExpression).groups();
  const { problems, second } = yaml;
  const warnings = second === undefined ? [] : [{ ...second, message: 'only the first document of a file is read' }];
  return { file: { groups }, problems, warnings };
}

class RuleFileParser {
  readonly #yaml: YamlReader;
  readonly #checkExpression: (expression: string) => void;

  constructor(yaml: YamlReader, checkExpression: (expression: string) => void) {
    this.#yaml = yaml;
    this.#checkExpression = checkExpression;
  }

  groups(): RuleGroupDefinition[] {
    const file = this.#yaml.fields(this.#yaml.root, 'the file', ['groups']);
    const names = new Set<string>();
    return this.#yaml.list(file?.get('groups'), 'groups').flatMap((node) => {
      const group = this.#group(node);
      if (!group) return [];
      if (names.has(group.name)) {
        this.#yaml.report(node, `groupname: "${group.name}" is repeated in the same file`);
      }
      names.add(group.name);
      return [group];
    });
  }

  #group(node: Node | null): RuleGroupDefinition | undefined {
    const fields = this.#yaml.fields(node, 'a group', GROUP_FIELDS);
    if (!fields) return undefined;
    const name = this.#yaml.text(fields.get('name'), 'name');
    if (name === '') this.#yaml.report(node, 'Groupname must not be empty');
    const labels = this.#labels(fields.get('labels'), `group ${JSON.stringify(name)}`);
    return {
      name,
      intervalMs: this.#duration(fields.get('interval'), 'interval') || undefined,
      queryOffsetMs: this.#duration(fields.get('query_offset'), 'query_offset'),
      limit: this.#yaml.integer(fields.get('limit'), 'limit'),
      rules: this.#yaml
        .list(fields.get('rules'), 'rules')
        .flatMap((rule, index) => this.#rule(rule, name, index + 1, labels) ?? []),
    };
  }

  #rule(
    node: Node | null,
    group: string,
    number: number,
    groupLabels: ReadonlyMap<string, string>,
  ): RuleDefinition | undefined {
    const fields = this.#yaml.fields(node, 'a rule', RULE_FIELDS);
    if (!fields) return undefined;
    const record = this.#yaml.text(fields.get('record'), 'record');
    const alert = this.#yaml.text(fields.get('alert'), 'alert');
    const name = alert || record;
    const where = `group ${JSON.stringify(group)}, rule ${number}, ${JSON.stringify(name)}`;
    const report = (at: Node | null | undefined, message: string) =>
      this.#yaml.report(at ?? node, `${where}: ${message}`);
    if (record !== '' && alert !== '') report(fields.get('record'), "only one of 'record' and 'alert' must be set");
    if (name === '') report(node, "one of 'record' or 'alert' must be set");

    const expression = this.#yaml.text(fields.get('expr'), 'expr');
    if (expression === '') report(fields.get('expr'), "field 'expr' must be set in rule");
    else {
      try {
        this.#checkExpression(expression);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        report(fields.get('expr'), `could not parse expression: ${reason}`);
      }
    }
    const own = this.#labels(fields.get('labels'), where);
    const labels = new Map([...groupLabels, ...own]);
    const annotations = this.#yaml.texts(fields.get('annotations'), `${where}: annotations`);
    const forMs = this.#duration(fields.get('for'), 'for');
    const keepFiringForMs = this.#duration(fields.get('keep_firing_for'), 'keep_firing_for');
    if (alert !== '') {
      this.#checkTemplates(fields.get('labels'), where, alert, 'label', labels);
      this.#checkTemplates(fields.get('annotations'), where, alert, 'annotation', annotations);
      for (const key of annotations.keys()) {
        if (!isLabelName(key)) report(fields.get('annotations'), `invalid annotation name: ${key}`);
      }
      return { kind: 'alerting', name, expression, labels, annotations, forMs, keepFiringForMs };
    }
    for (const field of ['annotations', 'for', 'keep_firing_for']) {
      const isSet = field === 'annotations' ? annotations.size > 0 : field === 'for' ? forMs > 0 : keepFiringForMs > 0;
      if (isSet) report(fields.get(field), `invalid field '${field}' in recording rule`);
    }
    if (/[{}]/.test(record)) {
      report(fields.get('record'), `braces present in the recording rule name; should it be in expr?: ${record}`);
    }
    return { kind: 'recording', name, expression, labels };
  }

  #labels(node: Node | null | undefined, where: string): Map<string, string> {
    const labels = this.#yaml.texts(node, `${where}: labels`);
    for (const name of labels.keys()) {
      if (!isLabelName(name) || name === '__name__') {
        this.#yaml.report(node, `${where}: invalid label name: ${name}`);
      }
    }
    return labels;
  }

  #checkTemplates(
    node: Node | null | undefined,
    where: string,
    alert: string,
    what: string,
    templates: ReadonlyMap<string, string>,
  ): void {
    for (const [name, source] of templates) {
      try {
        parseAlertTemplate(alert, source);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        this.#yaml.report(node, `${where}: ${what} ${JSON.stringify(name)}: ${error.message}`);
      }
    }
  }

  #duration(node: Node | null | undefined, what: string): number {
    const text = this.#yaml.text(node, what);
    if (text === '') return 0;
    const milliseconds = parsePromqlDuration(text);
    if (milliseconds !== undefined) return milliseconds;
    this.#yaml.report(node, `${what}: not a valid duration string: ${JSON.stringify(text)} (such as 1h30m or 15s)`);
    return 0;
  }
}

/** Since Prometheus 3 any text that is not empty. */
function isLabelName(name: string): boolean {
  return name !== '';
}
