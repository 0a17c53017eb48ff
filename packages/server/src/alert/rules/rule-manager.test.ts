import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PromqlEngine } from '../../query/promql/engine.ts';
import { Labels } from '../../query/promql/labels.ts';
import { MemorySeries } from '../../query/promql/memory-series.ts';
import { parseRuleFile } from './parse-rule-file.ts';
import { ruleQuery } from './promql-rule-query.ts';
import { type AlertNotice, RuleManager } from './rule-manager.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DOWN = 'up{job="api"}';

let folder: string;
let world: MemorySeries;
let errors: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  folder = mkdtempSync(join(tmpdir(), 'signalbox-rules-'));
  world = new MemorySeries();
  errors = [];
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

/** Starts a manager on the state that is on disk; `told` grows with what receivers hear. */
async function startManager(rules: string) {
  const told: string[] = [];
  const engine = new PromqlEngine(world);
  const manager = new RuleManager({
    query: ruleQuery(() => engine),
    write: async (samples) => {
      for (const { labels, timeMs, value } of samples) world.add(Labels.from(labels), [{ timeMs, value }]);
    },
    notify: (notices: readonly AlertNotice[]) => {
      for (const { alert } of notices) told.push(`${alert.labels.get('alertname')} ${alert.state}`);
    },
    statePath: join(folder, 'rules.json'),
    defaultIntervalMs: MINUTE,
    resendMs: 60 * MINUTE,
    externalLabels: new Map(),
    externalUrl: new URL('http://localhost'),
    onError: (error) => errors.push(error),
  });
  const load = async (text: string) => {
    const { file, problems } = parseRuleFile(text, () => {});
    expect(problems).toEqual([]);
    await manager.load(new Map([['rules.yml', file]]));
  };
  await load(rules);
  manager.start();
  return { manager, told, load };
}

function isUp(value: number, minutes: number): void {
  const labels = Labels.from([
    ['__name__', 'up'],
    ['job', 'api'],
  ]);
  const first = Math.floor(Date.now() / MINUTE);
  const samples = Array.from({ length: minutes * 4 }, (_, i) => ({ timeMs: first * MINUTE + i * 15_000, value }));
  world.add(labels, samples);
}

const valuesOf = async (query: string) => {
  const { value } = await new PromqlEngine(world, { lookbackMs: 15 * MINUTE }).instant(query, Date.now());
  return value.type === 'vector' ? value.samples.map((sample) => sample.value) : [];
};

const alert = (more = '') => `groups: [{ name: g, rules: [{ alert: Down, expr: '${DOWN} == 0', for: 5m ${more} }] }]`;

test('tells once that an alert fires, and once that it is over', async () => {
  const { manager, told } = await startManager(alert());
  isUp(0, 10);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(told).toEqual(['Down firing']);
  isUp(1, 5);
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(told).toEqual(['Down firing', 'Down inactive']);
  await manager.shutdown();
});

test('a restart in the middle of "for" does not begin it anew', async () => {
  const first = await startManager(alert());
  isUp(0, 20);
  await vi.advanceTimersByTimeAsync(4 * MINUTE);
  await first.manager.shutdown();
  expect(first.told).toEqual([]);
  const second = await startManager(alert());
  await vi.advanceTimersByTimeAsync(2.5 * MINUTE);
  expect(second.told).toEqual(['Down firing']);
  await second.manager.shutdown();
});

test('the series of a state that an alert left while the program was away ends', async () => {
  const first = await startManager(alert());
  isUp(0, 20);
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  await first.manager.shutdown();
  expect(await valuesOf('ALERTS{alertstate="pending"}')).toEqual([1]);
  vi.setSystemTime(Date.now() + 4 * MINUTE);
  const second = await startManager(alert());
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(await valuesOf('ALERTS{alertstate="firing"}')).toEqual([1]);
  expect(await valuesOf('ALERTS{alertstate="pending"}')).toEqual([]);
  await second.manager.shutdown();
});

test('a damaged file of states is an error that names it', async () => {
  writeFileSync(join(folder, 'rules.json'), '[{"file":');
  await expect(startManager(alert())).rejects.toThrow(/rules\.json is damaged .*move it away/);
});

test('no receiver hears of a firing alert again because of a restart', async () => {
  const first = await startManager(alert());
  isUp(0, 30);
  await vi.advanceTimersByTimeAsync(7 * MINUTE);
  await first.manager.shutdown();
  expect(first.told).toEqual(['Down firing']);
  const second = await startManager(alert());
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(second.told).toEqual([]);
  await second.manager.shutdown();
});

test('what was pending long before a restart begins anew', async () => {
  const first = await startManager(alert());
  isUp(0, 4);
  await vi.advanceTimersByTimeAsync(4 * MINUTE);
  await first.manager.shutdown();
  vi.setSystemTime(Date.now() + 2 * 60 * MINUTE);
  isUp(0, 4);
  const second = await startManager(alert());
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(second.told).toEqual([]);
  await second.manager.shutdown();
});

test('rules see what those before them in the group recorded', async () => {
  const { manager } = await startManager(
    "groups: [{ name: g, rules: [{ record: a, expr: '1' }, { record: b, expr: a + 1 }, { record: c, expr: 'b * 10' }] }]",
  );
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(await valuesOf('c')).toEqual([20]);
  await manager.shutdown();
});

test('a rule that fails says so, and the others go on', async () => {
  const { manager } = await startManager(
    "groups: [{ name: g, rules: [{ record: bad, expr: 'up[5m]' }, { record: good, expr: '1' }] }]",
  );
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(manager.groups[0]?.rules.map(({ status }) => [status.health, status.lastError])).toEqual([
    ['err', 'rule result is not a vector or scalar'],
    ['ok', ''],
  ]);
  expect(await valuesOf('good')).toEqual([1]);
  await manager.shutdown();
});

test('series of rules that a new version of the file lacks end, and the rest goes on', async () => {
  const { manager, told, load } = await startManager(alert(' }, { record: old, expr: "1"'));
  isUp(0, 20);
  await vi.advanceTimersByTimeAsync(4 * MINUTE);
  expect(await valuesOf('old')).toEqual([1]);
  await load(alert());
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(await valuesOf('old')).toEqual([]);
  expect(told).toEqual(['Down firing']);
  await load('groups: []');
  expect(await valuesOf('ALERTS')).toEqual([]);
  await manager.shutdown();
});
