import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Bindings, readBindings } from './pino-bindings.ts';
import { PinoInternals } from './pino-internals.ts';

const name = fc.oneof(fc.constantFrom('pid', 'hostname', 'reqId', '__proto__'), fc.string());
const value = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.integer(), fc.jsonValue());
const values = fc.dictionary(name, value, { maxKeys: 4 });
const added = fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 });

/** As pino writes them. */
const textOf = (bound: object): string =>
  Object.entries(bound)
    .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join('');

const withoutResource = (bound: object) =>
  Object.entries(JSON.parse(JSON.stringify(bound))).filter(([name]) => name !== 'pid' && name !== 'hostname');

test('reads what JSON reads, of a child what it adds', () => {
  fc.assert(
    fc.property(values, added, (parent, child) => {
      const inherited = readBindings(textOf(parent), undefined);
      expect(inherited.own).toEqual(withoutResource(parent));
      const bindings = readBindings(textOf(parent) + textOf(child), inherited);
      expect(bindings.own).toEqual(withoutResource(child));
      expect(bindings.inherited).toBe(inherited);
    }),
  );
});

test('what only begins like the parent is read as a whole', () => {
  const inherited: Bindings = readBindings(',"n":1', undefined);
  expect(readBindings(',"n":12', inherited)).toEqual({ text: ',"n":12', own: [['n', 12]], inherited: undefined });
  expect(readBindings(',"m":"x"', inherited)).toEqual({ text: ',"m":"x"', own: [['m', 'x']], inherited: undefined });
});

test('what is no JSON binds nothing', () => {
  expect(readBindings(',"a":"b",c', undefined).own).toEqual([]);
  expect(readBindings('', undefined).own).toEqual([]);
});

test('those of a parent that has written nothing itself are read once for all its children', () => {
  const parent = pino({ base: { service: 'cart', pid: 1 } });
  const internals = new PinoInternals();
  const [one, other] = [1, 2].map((id) => internals.bindings(parent.child({ id })));
  expect(one?.own).toEqual([['id', 1]]);
  expect(one?.inherited?.own).toEqual([['service', 'cart']]);
  expect(other?.inherited).toBe(one?.inherited);
});
