import { expect, test } from 'vitest';
import { AlertingRule } from './alerting-rule.ts';
import type { AlertingRuleDefinition } from './rule-file.ts';
import type { RuleSample } from './rule-query.ts';

const MINUTE = 60_000;

function ruleOf(definition: Partial<AlertingRuleDefinition> = {}) {
  const rule = new AlertingRule(
    {
      kind: 'alerting',
      name: 'Slow',
      expression: 'latency > 1',
      labels: new Map([['severity', 'page']]),
      annotations: new Map([['summary', '{{ $labels.instance }} takes {{ $value }} s']]),
      forMs: 2 * MINUTE,
      keepFiringForMs: 0,
      ...definition,
    },
    { externalLabels: new Map(), externalUrl: new URL('http://localhost') },
  );
  /** Evaluates at a minute; gives its alerts' states and the series that it wrote. */
  const evaluate = async (minute: number, result: Record<string, number>, limit = 0) => {
    const samples = Object.entries(result).map(
      ([instance, value]): RuleSample => ({
        labels: new Map([
          ['__name__', 'latency'],
          ['instance', instance],
        ]),
        value,
      }),
    );
    const written = await rule.evaluate({
      timeMs: minute * MINUTE,
      queryOffsetMs: 0,
      limit,
      query: async () => samples,
    });
    return {
      states: Object.fromEntries(rule.alerts.map(({ labels, state }) => [labels.get('instance'), state])),
      series: written.map(({ labels, value }) => [labels.get('__name__'), labels.get('alertstate'), value]),
    };
  };
  return { rule, evaluate };
}

test('an alert is pending until its expression has held for as long as the rule says', async () => {
  const { rule, evaluate } = ruleOf();
  expect(await evaluate(10, { a: 3 })).toEqual({
    states: { a: 'pending' },
    series: [
      ['ALERTS', 'pending', 1],
      ['ALERTS_FOR_STATE', undefined, 600],
    ],
  });
  expect((await evaluate(11, { a: 3 })).states).toEqual({ a: 'pending' });
  expect((await evaluate(12, { a: 4 })).states).toEqual({ a: 'firing' });
  expect(rule.alerts[0]).toMatchObject({
    value: 4,
    activeAt: 10 * MINUTE,
    firedAt: 12 * MINUTE,
    labels: new Map([
      ['instance', 'a'],
      ['severity', 'page'],
      ['alertname', 'Slow'],
    ]),
    annotations: new Map([['summary', 'a takes 4 s']]),
  });
});

test('a gap begins the time of a pending alert anew', async () => {
  const { evaluate } = ruleOf();
  await evaluate(10, { a: 3 });
  expect(await evaluate(11, {})).toEqual({ states: {}, series: [] });
  await evaluate(12, { a: 3 });
  expect((await evaluate(13, { a: 3 })).states).toEqual({ a: 'pending' });
  expect((await evaluate(14, { a: 3 })).states).toEqual({ a: 'firing' });
});

test('a resolved alert is remembered for a quarter of an hour, without series', async () => {
  const { evaluate } = ruleOf({ forMs: 0 });
  expect((await evaluate(10, { a: 3 })).states).toEqual({ a: 'firing' });
  expect(await evaluate(11, {})).toEqual({ states: { a: 'inactive' }, series: [] });
  expect((await evaluate(26, {})).states).toEqual({ a: 'inactive' });
  expect((await evaluate(27, {})).states).toEqual({});
});

test('keep_firing_for holds an alert over gaps', async () => {
  const { evaluate } = ruleOf({ forMs: 0, keepFiringForMs: 3 * MINUTE });
  await evaluate(10, { a: 3 });
  expect((await evaluate(11, {})).states).toEqual({ a: 'firing' });
  expect((await evaluate(12, { a: 3 })).states).toEqual({ a: 'firing' });
  expect((await evaluate(13, {})).states).toEqual({ a: 'firing' });
  expect((await evaluate(15, {})).states).toEqual({ a: 'firing' });
  expect((await evaluate(16, {})).states).toEqual({ a: 'inactive' });
});

test('alerts that differ only in a label that the rule sets are refused, and nothing changes', async () => {
  const { rule, evaluate } = ruleOf({ labels: new Map([['instance', 'all']]) });
  await evaluate(10, { a: 3 });
  const before = rule.alerts;
  await expect(evaluate(11, { a: 3, b: 4 })).rejects.toThrow('same labelset after applying alert labels');
  expect(rule.alerts).toEqual(before);
});

test('more alerts than the limit are none', async () => {
  const { rule, evaluate } = ruleOf();
  await expect(evaluate(10, { a: 3, b: 4 }, 1)).rejects.toThrow('exceeded limit of 1 with 2 alerts');
  expect(rule.alerts).toEqual([]);
});

test('a template that fails shows why, and the alert is raised', async () => {
  const { rule, evaluate } = ruleOf({ annotations: new Map([['summary', '{{ template "none" }}']]) });
  await evaluate(10, { a: 3 });
  expect(rule.alerts[0]?.annotations.get('summary')).toMatch(/^<error expanding template: .*__alert_Slow/);
});
