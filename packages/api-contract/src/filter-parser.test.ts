import { expect, test } from 'vitest';
import { FilterSyntaxError, parseFilter, printFilter } from './filter-parser.ts';

const cases: [string, object][] = [
  [
    'http.response.status_code >= 500',
    {
      scope: null,
      key: 'http.response.status_code',
      operator: '>=',
      value: { type: 'number', value: 500, text: '500' },
    },
  ],
  ['chimney.cache_hit=true', { key: 'chimney.cache_hit', operator: '=', value: { type: 'bool', value: true } }],
  [
    'http.route = "/api/github/pulls"',
    { key: 'http.route', value: { type: 'string', value: '/api/github/pulls', quoted: true } },
  ],
  ['user.id = u-42', { key: 'user.id', value: { type: 'string', value: 'u-42', quoted: false } }],
  ['user.id = "42"', { value: { type: 'string', value: '42', quoted: true } }],
  ['big = 9007199254740993', { value: { type: 'number', value: 9007199254740992, text: '9007199254740993' } }],
  ['resource.deployment.slot = blue', { scope: 'resource', key: 'deployment.slot' }],
  [
    'exception.message =~ "timeout.*\\d+"',
    { operator: '=~', value: { type: 'string', value: 'timeout.*\\d+', quoted: true } },
  ],
  ['code =~ 5..', { operator: '=~', value: { type: 'string', value: '5..', quoted: false } }],
  ['db.system.name exists', { operator: 'exists', value: null }],
  ['db.system.name !exists', { operator: '!exists', value: null }],
  [
    '"my key" != "a \\"b\\" \\u00e9\\n"',
    { key: 'my key', operator: '!=', value: { type: 'string', value: 'a "b" é\n', quoted: true } },
  ],
  [
    'span:duration > 250ms',
    { intrinsic: true, key: 'span:duration', value: { type: 'string', value: '250ms', quoted: false } },
  ],
  ['resource."span:x" = 1', { scope: 'resource', key: 'span:x', intrinsic: false }],
  ['  a  <  -1.5e3  ', { key: 'a', operator: '<', value: { type: 'number', value: -1500, text: '-1.5e3' } }],
];

test.each(cases)('%s', (text, expected) => {
  const comparison = parseFilter(text);
  expect(comparison).toMatchObject(expected);
  const again = parseFilter(printFilter(comparison));
  const bare = ({ keyPosition: _key, valuePosition: _value, ...rest }: typeof comparison): object => rest;
  expect(bare(again)).toEqual(bare(comparison));
});

test.each([
  ['', 0, 0, 'attribute name'],
  ['a', 1, 1, 'one of ='],
  ['a is 5', 2, 4, 'one of ='],
  ['a =', 3, 3, 'a value'],
  ['a = b c', 6, 7, 'the end'],
  ['a = "b', 4, 6, 'closing'],
  ['ok < true', 3, 4, '= or !='],
  ['span:nothing = 1', 0, 12, 'span:name'],
  ['a exists 1', 9, 10, 'the end'],
])('%j: error at %i to %i, expected %s', (text, start, end, expected) => {
  try {
    parseFilter(text);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(FilterSyntaxError);
    expect((error as FilterSyntaxError).position).toEqual({ start, end });
    expect((error as FilterSyntaxError).expected).toContain(expected);
  }
});

test('a position is where the value stands', () => {
  const { keyPosition, valuePosition } = parseFilter('resource.a = "b c"');
  expect([keyPosition, valuePosition]).toEqual([
    { start: 0, end: 10 },
    { start: 13, end: 18 },
  ]);
});
