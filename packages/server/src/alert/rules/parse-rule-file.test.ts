import { parsePromql } from '@signalbox/query-language';
import { expect, test } from 'vitest';
import { MAX_RULE_FILE_LENGTH, parseRuleFile } from './parse-rule-file.ts';

const parse = (text: string) => parseRuleFile(text, (expression) => void parsePromql(expression));

test('reads groups with all of their fields', () => {
  const { file, problems } = parse(`
groups:
  - name: api
    interval: 15s
    query_offset: 1m
    limit: 10
    labels: { team: backend, severity: info }
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
      - alert: Down
        expr: up == 0
        for: 1h30m
        keep_firing_for: 5m
        labels: { severity: page }
        annotations: { summary: '{{ $labels.instance }} is down' }
`);
  expect(problems).toEqual([]);
  expect(file.groups).toEqual([
    {
      name: 'api',
      intervalMs: 15_000,
      queryOffsetMs: 60_000,
      limit: 10,
      rules: [
        {
          kind: 'recording',
          name: 'job:requests:rate5m',
          expression: 'sum by (job) (rate(requests_total[5m]))',
          labels: new Map([
            ['team', 'backend'],
            ['severity', 'info'],
          ]),
        },
        {
          kind: 'alerting',
          name: 'Down',
          expression: 'up == 0',
          forMs: 5_400_000,
          keepFiringForMs: 300_000,
          labels: new Map([
            ['team', 'backend'],
            ['severity', 'page'],
          ]),
          annotations: new Map([['summary', '{{ $labels.instance }} is down']]),
        },
      ],
    },
  ]);
});

test('follows aliases, and takes in the fields of other maps', () => {
  const { file, problems } = parse(`
groups:
  - name: api
    rules:
      - &slow
        alert: &name Slow
        expr: &expr latency > 1
        for: 5m
        labels: { severity: page }
      - { record: latency_high, expr: *expr }
      - <<: *slow
        alert: Slower
        expr: latency > 2
      - { alert: *name, expr: *expr, labels: { <<: [{ severity: info, team: web }, { team: other }], severity: none } }
`);
  expect(problems).toEqual([]);
  const [{ rules } = { rules: [] }] = file.groups;
  expect(rules.map(({ name, expression, labels }) => [name, expression, Object.fromEntries(labels)])).toEqual([
    ['Slow', 'latency > 1', { severity: 'page' }],
    ['latency_high', 'latency > 1', {}],
    ['Slower', 'latency > 2', { severity: 'page' }],
    ['Slow', 'latency > 1', { severity: 'none', team: 'web' }],
  ]);
  expect(rules[2]).toMatchObject({ forMs: 300_000 });
});

test.each([
  ['groups: [{ name: a }]\n---\ngroups: [{ name: b }]', ['a'], [2]],
  ['---\n# of a\ngroups: [{ name: a }]\n...\n', ['a'], []],
  ['groups: [{ name: a }]\n---\nbroken: [', ['a'], [2]],
  ['---\n---\ngroups: [{ name: b }]', [], [2]],
  ['# nothing', [], []],
])('reads the first of several documents, as Prometheus does, and says so (%#)', (text, names, lines) => {
  const { file, problems, warnings } = parse(text);
  expect(problems).toEqual([]);
  expect(file.groups.map(({ name }) => name)).toEqual(names);
  const message = 'only the first document of a file is read';
  expect(warnings).toEqual(lines.map((line) => ({ line, column: expect.any(Number) as number, message })));
});

test('takes elements of which nothing is said for none, as Prometheus does', () => {
  expect(parse('groups:\n  -\n  - name: g\n    rules:\n      -\n')).toMatchObject({
    file: { groups: [{ name: 'g', rules: [] }] },
    problems: [],
  });
});

const inRule = (rule: string) => `groups:\n  - name: g\n    rules:\n      - ${rule}`;

test.each([
  [inRule('{ alert: A, expr: "sum(" }'), 4, 'could not parse expression'],
  [inRule('{ alert: A }'), 4, "field 'expr' must be set"],
  [inRule('{ expr: up }'), 4, "one of 'record' or 'alert' must be set"],
  [inRule('{ alert: A, record: a, expr: up }'), 4, "only one of 'record' and 'alert' must be set"],
  [inRule('{ alert: A, expr: up, for: soon }'), 4, 'not a valid duration string: "soon"'],
  [inRule('{ alert: A, expr: up, fro: 5m }'), 4, 'field fro not found'],
  [inRule('{ alert: A, expr: up, annotations: { a: "{{ $value" } }'), 4, 'annotation "a"'],
  [inRule('{ record: a, expr: up, for: 5m }'), 4, "invalid field 'for' in recording rule"],
  [inRule('{ record: "a{b}", expr: up }'), 4, 'braces present in the recording rule name'],
  [inRule('{ record: a, expr: up, labels: { __name__: b } }'), 4, 'invalid label name: __name__'],
  ['groups:\n  - { name: g }\n  - { name: g }', 3, 'groupname: "g" is repeated'],
  ['groups:\n  - { rules: [] }', 2, 'Groupname must not be empty'],
  [inRule('{ alert: A, expr: *up }'), 4, 'nothing before it is called &up'],
  [inRule('{ <<: up, alert: A, expr: up }'), 4, '<<: expected a map'],
  [`groups: [{ name: &n g, rules: [${'{ record: *n, expr: *n },'.repeat(5_001)}] }]`, 1, 'more than 10000 aliases'],
  ['groups: 3', 1, 'groups: expected a list'],
  ['groups: [', 1, 'Flow sequence'],
  [' '.repeat(MAX_RULE_FILE_LENGTH + 1), 1, 'larger than 4 MiB'],
])('says what is wrong, and where (%#)', (text, line, message) => {
  const { problems } = parse(text);
  expect(problems).toContainEqual(expect.objectContaining({ line, message: expect.stringContaining(message) }));
});
