import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkRules, testRules } from '../../commands/rules.ts';

const root = fileURLToPath(new URL('../../../../..', import.meta.url));
const cases = join(
  process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance'),
  'promql/promtool-rule-tests',
);

async function run(path: string): Promise<{ passed: boolean; lines: string[] }> {
  const lines: string[] = [];
  return { passed: await testRules([path], [], (line) => lines.push(line)), lines };
}

// Third-party cases stand beside the repository; without them our own below still run.
for (const [name, passes] of [
  ['unittest.yml', true],
  ['at-modifier-test.yml', true],
  ['negative-offset-test.yml', true],
  ['failing.yml', false],
  ['bad-promql.yml', false],
] as const) {
  test.skipIf(!existsSync(cases))(`Prometheus's own ${name} ${passes ? 'passes' : 'fails'}`, async () => {
    expect((await run(join(cases, name))).passed).toBe(passes);
  });
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-rule-tests-'));
  writeFileSync(
    join(folder, 'api.rules.yml'),
    `groups:
  - name: api
    rules:
      - record: job:requests:rate1m
        expr: sum by (job) (rate(requests_total[1m]))
      - alert: Quiet
        expr: job:requests:rate1m < 1
        for: 2m
        annotations: { summary: '{{ $labels.job }}: {{ $value | printf "%.1f" }}/s' }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const testFile = (test: string) => {
  const path = join(folder, 'test.yml');
  writeFileSync(
    path,
    `rule_files: ['*.rules.yml']\nevaluation_interval: 15s\nfuzzy_compare: true\ntests:\n  - interval: 15s\n${test}`,
  );
  return path;
};

const input = `    input_series: [{ series: 'requests_total{job="web"}', values: '0+3x40' }]\n`;

test('rules are evaluated on input series', async () => {
  const expected = `    promql_expr_test:
      - { expr: 'job:requests:rate1m', eval_time: 3m, exp_samples: [{ labels: 'job:requests:rate1m{job="web"}', value: 0.2 }] }
    alert_rule_test:
      - { alertname: Quiet, eval_time: 2m, exp_alerts: [] }
      - alertname: Quiet
        eval_time: 3m
        exp_alerts: [{ exp_labels: { job: web }, exp_annotations: { summary: 'web: 0.2/s' } }]
`;
  expect(await run(testFile(input + expected))).toEqual({
    passed: true,
    lines: [expect.stringMatching(/test\.yml: passed$/)],
  });
});

test.each([
  ['    promql_expr_test: [{ expr: "sum(", eval_time: 1m }]\n', /err: .*parse error/],
  ['    promql_expr_test: [{ expr: "vector(1)", eval_time: 1m }]\n', /exp: nothing\n\s+got: \n\s+\{\} 1/],
  [
    '    promql_expr_test: [{ expr: "vector(1)", exp_samples: [{ value: 2 }] }]\n',
    /exp: \n\s+\{\} 2\n\s+got: \n\s+\{\} 1/,
  ],
  [
    '    alert_rule_test: [{ alertname: Quiet, eval_time: 3m, exp_alerts: [] }]\n',
    /exp: none\n\s+got: \n\s+labels: .*Quiet/,
  ],
  ['    alert_rule_test: [{ eval_time: 3m }]\n', /test\.yml:\d+:\d+: an item of alert_rule_test needs an alertname/],
  ['    alert_rule_tests: []\n', /field alert_rule_tests not found/],
  ['    interval: 1x\n', /not a valid duration string: "1x"/],
])('a test that fails says how (%#)', async (more, message) => {
  const { passed, lines } = await run(testFile((more.includes('interval') ? '' : input) + more));
  expect(passed).toBe(false);
  expect(lines.join('\n')).toMatch(message);
});

test('what is experimental must be turned on', async () => {
  const rules = join(folder, 'experimental.rules.yml');
  writeFileSync(rules, 'groups:\n  - name: g\n    rules:\n      - { record: least, expr: "limitk(1, up)" }\n');
  const tests = join(folder, 'experimental.test.yml');
  const series = '      - { series: up, values: 1 }\n';
  const sample = '          - { labels: \'{__name__="least"}\', value: 1 }\n';
  writeFileSync(
    tests,
    `rule_files: [experimental.rules.yml]\ntests:\n  - interval: 1m\n    input_series:\n${series}    promql_expr_test:\n      - expr: least + 0 + limitk(1, least)\n        exp_samples: [{ value: 2 }]\n      - expr: least\n        exp_samples:\n${sample}`,
  );
  const on = ['promql-experimental-functions'] as const;
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  expect(checkRules([rules], [], print)).toBe(false);
  expect(lines.join()).toContain('must be enabled with --enable-feature=promql-experimental-functions');
  expect(checkRules([rules], on, print)).toBe(true);
  expect(await testRules([tests], [], print)).toBe(false);
  lines.length = 0;
  expect(await testRules([tests], on, print), lines.join('\n')).toBe(true);
});

test('names of any letters need no quotes where that is turned on, in rules, series and what is expected of them', async () => {
  const rules = join(folder, 'names.rules.yml');
  writeFileSync(rules, 'groups:\n  - name: g\n    rules:\n      - { record: 合計, expr: sum by (a.b) (x.y) }\n');
  const tests = join(folder, 'names.test.yml');
  writeFileSync(
    tests,
    `rule_files: [names.rules.yml]
tests:
  - input_series: [{ series: 'x.y{a.b="1"}', values: 2 }]
    promql_expr_test: [{ expr: '合計{a.b="1"}', exp_samples: [{ labels: '合計{a.b="1"}', value: 2 }] }]
`,
  );
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  expect(checkRules([rules], [], print)).toBe(false);
  expect(await testRules([tests], [], print)).toBe(false);
  lines.length = 0;
  expect(await testRules([tests], ['promql-unquoted-utf8-names'], print), lines.join('\n')).toBe(true);
});

test('check says how many rules there are, and what is wrong', () => {
  const lines: string[] = [];
  const bad = join(folder, 'bad.yml');
  writeFileSync(bad, 'groups:\n  - name: g\n    rules:\n      - { record: a, expr: "sum(" }\n');
  expect(checkRules([join(folder, 'api.rules.yml')], [], (line) => lines.push(line))).toBe(true);
  expect(checkRules([bad, join(folder, 'none.yml')], [], (line) => lines.push(line))).toBe(false);
  expect(lines).toEqual([
    expect.stringMatching(/api\.rules\.yml: 2 rules found, no problem\.$/),
    expect.stringMatching(/bad\.yml:4:\d+: group "g", rule 1, "a": could not parse expression/),
    expect.stringMatching(/none\.yml: there is no such file$/),
  ]);
});
