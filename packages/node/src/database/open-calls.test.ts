import { expect, test } from 'vitest';
import { type OpenCall, OpenCalls } from './open-calls.ts';

class Call implements OpenCall<Call> {
  previous: Call | undefined;
  next: Call | undefined;
  isOpen = false;
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const open = (calls: OpenCalls<Call>): string => [...calls].map(({ name }) => name).join('');

test('whichever ends, the others stay', () => {
  for (const leaving of ['a', 'b', 'c', 'ab', 'bc', 'ac', 'cba', 'abc']) {
    const calls = new OpenCalls<Call>();
    const all = ['a', 'b', 'c'].map((name) => new Call(name));
    for (const call of all) calls.add(call);
    for (const name of [...leaving, ...leaving]) calls.delete(all.find((call) => call.name === name) ?? new Call(name));
    calls.add(new Call('d'));
    expect(open(calls)).toBe(`d${[...'cba'].filter((name) => !leaving.includes(name)).join('')}`);
    for (const call of calls) calls.delete(call);
    expect(open(calls)).toBe('');
  }
});

test('of too many the oldest are let go', () => {
  const calls = new OpenCalls<Call>(2);
  const all = ['a', 'b', 'c'].map((name) => new Call(name));
  for (const call of all) calls.add(call);
  expect(open(calls)).toBe('cb');
  for (const call of all) calls.delete(call);
  expect(open(calls)).toBe('');
});
