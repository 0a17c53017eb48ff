import { headers } from 'nats';
import { expect, test } from 'vitest';
import { copyHeaders, NatsHeaderReader } from './nats-headers.ts';

test('a copy has all that the original has, and takes what the original does not', () => {
  const original = headers(503, 'No Responders');
  original.append('list', 'a');
  original.append('list', 'b');
  const copy = copyHeaders(original, headers);
  copy.set('traceparent', 'x');
  expect([copy.code, copy.description, copy.values('list')]).toEqual([503, 'No Responders', ['a', 'b']]);
  expect(original.keys()).toEqual(['list']);
});

test('names are read in any letters, as clients in other languages write them', () => {
  const given = headers();
  given.set('Traceparent', 'x');
  const reader = new NatsHeaderReader(given);
  expect([reader.get('traceparent'), reader.get('tracestate'), reader.keys()]).toEqual([
    'x',
    undefined,
    ['Traceparent'],
  ]);
});
