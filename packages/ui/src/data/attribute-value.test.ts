import { expect, test } from 'vitest';
import { printShort, printValue } from './attribute-value.ts';
import { figuresOf, spreadExemplars } from './metric-choice.ts';
import { serviceColor, serviceColorCss } from './service-color.ts';
import { parseStackTrace } from './stack-trace.ts';

test('values keep their types and all their digits', () => {
  expect(printValue({ intValue: '9223372036854775807' })).toBe('9223372036854775807');
  expect(printValue({ doubleValue: 'NaN' })).toBe('NaN');
  expect(printValue({ boolValue: false })).toBe('false');
  expect(printValue({})).toBe('');
  expect(printValue({ arrayValue: { values: [{ intValue: '9007199254740993' }, { stringValue: 'a"b' }, {}] } })).toBe(
    '[9007199254740993, "a\\"b", null]',
  );
  expect(printValue({ kvlistValue: { values: [{ key: '__proto__', value: { boolValue: true } }] } })).toBe(
    '{\n  "__proto__": true\n}',
  );
  expect(printShort({ stringValue: `a\n\tb${'c'.repeat(500)}` }, 10)).toBe('a bccccccc…');
});

test('nesting without end is cut, not followed', () => {
  let value: object = { stringValue: 'x' };
  for (let depth = 0; depth < 5000; depth++) value = { arrayValue: { values: [value] } };
  expect(printValue(value as never)).toContain('…');
});

test('a stack trace knows its own frames', () => {
  const { lines, more } = parseStackTrace(
    'TypeError: no\n    at f (/app/src/a.ts:1:2)\n    at g (/app/node_modules/x/y.js:3:4)\n    at node:internal/process:5:6\nCaused by: Error: deep',
  );
  expect(lines.map(({ kind, own }) => [kind, own])).toEqual([
    ['head', true],
    ['frame', true],
    ['frame', false],
    ['frame', false],
    ['cause', true],
  ]);
  expect(more).toBe(0);
  expect(parseStackTrace('x\n'.repeat(10_000)).more).toBe(9600);
});

test('a service has one colour, the same each time, never red', () => {
  expect(serviceColor('chimney', true)).toBe(serviceColor('chimney', true));
  expect(serviceColorCss('chimney')).toContain(serviceColor('chimney', false));
  const hues = Array.from({ length: 2000 }, (_, index) =>
    Number(/ ([\d.]+)\)$/.exec(serviceColor(`s${index}`, true))?.[1]),
  );
  expect(Math.min(...hues)).toBeGreaterThan(55);
  expect(new Set(hues).size).toBe(13);
});

test('figures of a line leave gaps out', () => {
  expect(figuresOf([null, 2, null, 4])).toEqual({ last: 4, mean: 3, max: 4, min: 2 });
  expect(figuresOf([null])).toEqual({ last: null, mean: null, max: null, min: null });
});

test('exemplars that lie upon each other leave the slowest', () => {
  const at = (value: number, x: number) => ({ exemplar: { value }, x, y: 0 });
  expect(spreadExemplars([at(1, 0), at(5, 4), at(2, 30)], 10).map(({ exemplar }) => exemplar.value)).toEqual([5, 2]);
});
