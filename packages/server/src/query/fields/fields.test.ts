import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestStore } from '../testing/test-store.ts';
import { listFieldValues, planFieldValues } from './list-field-values.ts';
import { listFields, planEventFields, planOwnFields, planResourceFields } from './list-fields.ts';

const base = 1_760_000_000_000_000_000n;
const range = { from: base, to: base + 3_600_000_000_000n };
const resource = { id: 1n, attributes: { 'service.name': 'web', zone: 'b' } };

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  const span = { traceId: 'aa'.repeat(16), time: base, resource };
  await store.insertSpans([
    { ...span, spanId: '1111111111111111', attributes: { route: '/a', code: 200n } },
    { ...span, spanId: '2222222222222222', attributes: { route: '/b', code: '200', zone: 'own' } },
    {
      ...span,
      spanId: '3333333333333333',
      attributes: { route: '/b', ok: true, ratio: 0.5, list: { other: '{"arrayValue":{"values":[]}}' } },
      events: [
        {
          time: base,
          name: 'e',
          attributes: '[{"key":"why","value":{"stringValue":"x"}},{"key":"n","value":{"intValue":"3"}}]',
        },
      ],
    },
    { ...span, spanId: '4444444444444444', time: base - 1n, attributes: { outside: 'x' } },
  ]);
  await store.insertLogs([{ time: base, attributes: { level: 'high' }, resource, eventName: 'crash' }]);
});

afterAll(() => store.close());

test('keys with their types, most frequent first', async () => {
  const { fields } = await listFields(store.context(), { signal: 'spans', range, prefix: '' });
  expect(fields.map(({ scope, key, types, count }) => `${scope}.${key} ${types.sort()} ${count}`).sort()).toEqual([
    'event.n int 1',
    'event.why string 1',
    'resource.service.name string 1',
    'resource.zone string 1',
    'span.code int,string 2',
    'span.list other 1',
    'span.ok bool 1',
    'span.ratio double 1',
    'span.route string 3',
    'span.zone string 1',
  ]);
  expect(fields.slice(0, 2).map((field) => field.key)).toEqual(['route', 'code']);
  const logs = await listFields(store.context(), { signal: 'logs', range, prefix: 'LE' });
  expect(logs.fields).toEqual([{ key: 'level', scope: 'log', types: ['string'], count: 1 }]);
});

test.each<[string, string, [string, number][]]>([
  [
    'route',
    '',
    [
      ['/b', 2],
      ['/a', 1],
    ],
  ],
  ['route', '/A', [['/a', 1]]],
  ['code', '', [['200', 2]]],
  ['ok', '', [['true', 1]]],
  [
    'zone',
    '',
    [
      ['b', 1],
      ['own', 1],
    ],
  ],
  ['resource.zone', '', [['b', 1]]],
  ['span.zone', '', [['own', 1]]],
  ['event.n', '', [['3', 1]]],
  ['span:name', '', [['span', 3]]],
  ['constructor', '', []],
  ['__proto__', '', []],
  ["'; DROP TABLE spans; --\n\n", "\\'", []],
])('values of %s from %j', async (key, prefix, expected) => {
  const { values } = await listFieldValues(store.context(), { signal: 'spans', key, range, prefix });
  expect(values.map(({ value, count }) => [value, count])).toEqual(expected);
});

test('the SQL', () => {
  const request = { signal: 'spans', range, prefix: 'x' } as const;
  expect(planOwnFields(request)).toMatchSnapshot();
  expect(planResourceFields(request)).toMatchSnapshot();
  expect(planEventFields(request)).toMatchSnapshot();
  expect(planFieldValues({ ...request, key: 'a' })).toMatchSnapshot();
});
