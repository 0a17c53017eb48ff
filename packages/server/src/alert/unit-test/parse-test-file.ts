import { type ParserOptions, parsePromqlDuration } from '@signalbox/query-language';
import type { Node } from 'yaml';
import { Labels } from '../../query/promql/labels.ts';
import type { MemorySample } from '../../query/promql/memory-series.ts';
import {
  type DescribedValue,
  parseMetricLabels,
  parseNumber,
  parseSeriesDescription,
  parseValues,
} from '../../query/promql/series-description.ts';
import { type YamlProblem, YamlReader } from '../yaml-reader.ts';
import type { AlertTest, ExpectedSample, ExpressionTest, RuleTest, RuleTestFile } from './test-file.ts';

const FILE_FIELDS = ['rule_files', 'evaluation_interval', 'group_eval_order', 'fuzzy_compare', 'tests'];
const TEST_FIELDS = [
  'name',
  'interval',
  'start_timestamp',
  'input_series',
  'alert_rule_test',
  'promql_expr_test',
  'external_labels',
  'external_url',
];

const DEFAULT_EVALUATION_INTERVAL_MS = 60_000;
/** More evaluations than this in one test are a mistake in its times. */
const MAX_EVALUATIONS = 1_000_000;

/**
 * Reads a file of unit tests for rules
 * (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/). The tests must not be run when there are
 * problems.
 */
export function parseRuleTestFile(
  text: string,
  names: Pick<ParserOptions, 'unquotedUtf8Names'>,
): {
  readonly file: RuleTestFile;
  readonly problems: readonly YamlProblem[];
} {
  const yaml = new YamlReader(text, { allowsMore: true });
  const file = new TestFileParser(yaml, names).file();
  return { file, problems: yaml.problems };
}

class TestFileParser {
  readonly #yaml: YamlReader;
  readonly #names: Pick<ParserOptions, 'unquotedUtf8Names'>;

  constructor(yaml: YamlReader, names: Pick<ParserOptions, 'unquotedUtf8Names'>) {
    this.#yaml = yaml;
    this.#names = names;
  }

  file(): RuleTestFile {
    const fields = this.#yaml.fields(this.#yaml.root, 'the file', FILE_FIELDS);
    const interval = fields?.get('evaluation_interval');
    const evaluationIntervalMs = this.#duration(interval, 'evaluation_interval') || DEFAULT_EVALUATION_INTERVAL_MS;
    const groupOrder = this.#texts(fields?.get('group_eval_order'), 'group_eval_order');
    for (const [index, name] of groupOrder.entries()) {
      if (groupOrder.indexOf(name) === index) continue;
      this.#yaml.report(fields?.get('group_eval_order'), `group name repeated in evaluation order: ${name}`);
    }
    return {
      ruleFiles: this.#texts(fields?.get('rule_files'), 'rule_files'),
      evaluationIntervalMs,
      groupOrder,
      isFuzzy: this.#yaml.text(fields?.get('fuzzy_compare'), 'fuzzy_compare') === 'true',
      tests: this.#yaml
        .list(fields?.get('tests'), 'tests')
        .flatMap((test) => this.#test(test, evaluationIntervalMs) ?? []),
    };
  }

  #test(node: Node | null, evaluationIntervalMs: number): RuleTest | undefined {
    const fields = this.#yaml.fields(node, 'a test', TEST_FIELDS);
    if (!fields) return undefined;
    const intervalMs = this.#duration(fields.get('interval'), 'interval') || evaluationIntervalMs;
    const startMs = this.#startTime(fields.get('start_timestamp'));
    const test: RuleTest = {
      name: this.#yaml.text(fields.get('name'), 'name'),
      startMs,
      series: this.#list(fields, 'input_series', (series) => this.#series(series, startMs, intervalMs)),
      externalLabels: this.#yaml.texts(fields.get('external_labels'), 'external_labels'),
      externalUrl: this.#url(fields.get('external_url')),
      alertTests: this.#list(fields, 'alert_rule_test', (one) => this.#alertTest(one)),
      expressionTests: this.#list(fields, 'promql_expr_test', (one) => this.#expressionTest(one)),
    };
    const lastMs = Math.max(0, ...[...test.alertTests, ...test.expressionTests].map(({ afterMs }) => afterMs));
    if (lastMs / evaluationIntervalMs > MAX_EVALUATIONS) {
      this.#yaml.report(node, `the rules would be evaluated more than ${MAX_EVALUATIONS} times`);
    }
    return test;
  }

  #series(node: Node | null, startMs: number, intervalMs: number): RuleTest['series'][number] | undefined {
    const fields = this.#yaml.fields(node, 'input_series', ['series', 'values']);
    const series = this.#yaml.text(fields?.get('series'), 'series');
    const values = this.#yaml.text(fields?.get('values'), 'values');
    return this.#attempt(node, () => {
      const described = parseSeriesDescription(`${series} ${values}`, this.#names);
      const samples = described.values.flatMap((value, index) => sampleOf(value, startMs + index * intervalMs));
      return { labels: described.labels, samples };
    });
  }

  #alertTest(node: Node | null): AlertTest | undefined {
    const fields = this.#yaml.fields(node, 'alert_rule_test', ['eval_time', 'alertname', 'exp_alerts']);
    if (!fields) return undefined;
    const alertName = this.#yaml.text(fields.get('alertname'), 'alertname');
    if (alertName === '') this.#yaml.report(node, 'an item of alert_rule_test needs an alertname');
    const expected = this.#list(fields, 'exp_alerts', (one) => {
      const alert = this.#yaml.fields(one, 'exp_alerts', ['exp_labels', 'exp_annotations']);
      const labels = this.#yaml.texts(alert?.get('exp_labels'), 'exp_labels');
      return {
        labels: Labels.from([...labels, ['alertname', alertName]]),
        annotations: Labels.from(this.#yaml.texts(alert?.get('exp_annotations'), 'exp_annotations')),
      };
    });
    return { afterMs: this.#duration(fields.get('eval_time'), 'eval_time'), alertName, expected };
  }

  #expressionTest(node: Node | null): ExpressionTest | undefined {
    const fields = this.#yaml.fields(node, 'promql_expr_test', ['expr', 'eval_time', 'exp_samples']);
    if (!fields) return undefined;
    return {
      afterMs: this.#duration(fields.get('eval_time'), 'eval_time'),
      expression: this.#yaml.text(fields.get('expr'), 'expr'),
      expected: this.#list(fields, 'exp_samples', (sample) => this.#expectedSample(sample)),
    };
  }

  #expectedSample(node: Node | null): ExpectedSample | undefined {
    const fields = this.#yaml.fields(node, 'exp_samples', ['labels', 'value', 'histogram']);
    const labelsText = this.#yaml.text(fields?.get('labels'), 'labels');
    const histogramText = this.#yaml.text(fields?.get('histogram'), 'histogram');
    const valueText = this.#yaml.text(fields?.get('value'), 'value');
    return this.#attempt(node, () => {
      const labels = labelsText === '' ? Labels.EMPTY : parseMetricLabels(labelsText, this.#names);
      if (histogramText === '') return { labels, value: valueText === '' ? 0 : numberOf(valueText) };
      const [value, ...more] = parseValues(histogramText);
      if (value?.kind !== 'histogram' || more.length > 0) throw new Error('histogram: expected one histogram');
      return { labels, value: value.value };
    });
  }

  /** Seconds since 1970, or a date as RFC 3339 has it. */
  #startTime(node: Node | null | undefined): number {
    const text = this.#yaml.text(node, 'start_timestamp');
    if (text === '') return 0;
    const milliseconds = /^-?\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Date.parse(text);
    if (Number.isSafeInteger(milliseconds)) return milliseconds;
    this.#yaml.report(node, 'start_timestamp: expected seconds since 1970, or a time such as 2026-01-31T12:00:00Z');
    return 0;
  }

  #url(node: Node | null | undefined): URL {
    const text = this.#yaml.text(node, 'external_url');
    const url = URL.parse(text === '' ? 'http://localhost' : text);
    if (url) return url;
    this.#yaml.report(node, `external_url: not an address: ${text}`);
    return new URL('http://localhost');
  }

  #duration(node: Node | null | undefined, what: string): number {
    const text = this.#yaml.text(node, what);
    const milliseconds = text === '' ? 0 : parsePromqlDuration(text);
    if (milliseconds !== undefined) return milliseconds;
    this.#yaml.report(node, `${what}: not a valid duration string: ${JSON.stringify(text)} (such as 1h30m or 15s)`);
    return 0;
  }

  #texts(node: Node | null | undefined, what: string): string[] {
    return this.#yaml.list(node, what).map((item) => this.#yaml.text(item, what));
  }

  #list<Item>(
    fields: ReadonlyMap<string, Node | null>,
    name: string,
    read: (node: Node | null) => Item | undefined,
  ): Item[] {
    return this.#yaml.list(fields.get(name), name).flatMap((node) => read(node) ?? []);
  }

  /** What `read` gives; undefined after a report of what it throws. */
  #attempt<Result>(node: Node | null, read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      this.#yaml.report(node, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

function sampleOf(value: DescribedValue, timeMs: number): MemorySample[] {
  if (value.kind === 'gap') return [];
  return [{ timeMs, value: value.kind === 'stale' ? 'stale' : value.value }];
}

/** A number as YAML writes it (`.inf`, `.nan`), or as PromQL does. */
function numberOf(text: string): number {
  const yaml = /^([+-]?)\.(inf|nan)$/i.exec(text);
  return parseNumber(yaml ? `${yaml[1]}${yaml[2]}` : text);
}
