import { describe, expect, test } from 'vitest';
import { completedValue, filterFor, parseFilter, printFilter, typingStage } from './filter-text.ts';
import { peerFilter } from './peer-filter.ts';

describe('parseFilter', () => {
  test.each([
    ['http.response.status_code >= 500', { key: 'http.response.status_code', operator: '>=', value: '500' }],
    ['a=b', { key: 'a', operator: '=', value: 'b' }],
    ['exception.message =~ "time.*"', { key: 'exception.message', operator: '=~', value: '"time.*"' }],
    ['db.system.name exists', { key: 'db.system.name', operator: 'exists', value: '' }],
    ['x !exists', { key: 'x', operator: '!exists', value: '' }],
    ['resource.deployment.slot != blue', { key: 'resource.deployment.slot', operator: '!=', value: 'blue' }],
    ['q = "a = b != c"', { key: 'q', operator: '=', value: '"a = b != c"' }],
  ])('%s', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter);
    expect(parseFilter(printFilter(parseFilter(text) as never))).toEqual(filter);
  });
  test.each([['http.route'], ['a ='], ['= b'], ['a =! b'], ['']])('not yet: %s', (text) =>
    expect(parseFilter(text)).toBeNull(),
  );
});

test('what is being typed', () => {
  expect(typingStage('http.r')).toMatchObject({ stage: 'key', partial: 'http.r' });
  expect(typingStage('http.route ')).toMatchObject({ stage: 'operator', key: 'http.route' });
  expect(typingStage('http.route = "/ch')).toMatchObject({
    stage: 'value',
    key: 'http.route',
    operator: '=',
    partial: '"/ch',
  });
});

test('a value keeps its type', () => {
  expect(completedValue('500', ['int'])).toBe('500');
  expect(completedValue('500', ['string'])).toBe('"500"');
  expect(completedValue('true', ['bool'])).toBe('true');
  expect(filterFor('n', { intValue: '9223372036854775807' })).toBe('n = 9223372036854775807');
  expect(filterFor('s', { stringValue: '200' }, 'resource.')).toBe('resource.s = "200"');
  expect(filterFor('s', { stringValue: 'a"b\\c\nd' })).toBe('s = "a\\"b\\\\c\\nd"');
  expect(filterFor('l', { arrayValue: { values: [] } }, '', true)).toBe('l !exists');
});

test('the filter of a node of the map', () => {
  expect(peerFilter('cache', 'redis:cache.internal')).toEqual(['server.address = "cache.internal"']);
  expect(peerFilter('database', 'postgresql:shop')).toEqual(['db.namespace = "shop"']);
  expect(peerFilter('database', 'sqlite')).toEqual(['db.system.name = "sqlite"']);
  expect(peerFilter('external', 'api.github.com')).toEqual(['server.address = "api.github.com"']);
});
