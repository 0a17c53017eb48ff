import { describe, expect, test } from 'vitest';
import { completedValue, filterFor, printKey, readFilter, refusedFilter, typingStage } from './filter-text.ts';
import { peerFilter } from './peer-filter.ts';

describe('readFilter', () => {
  test('writes what it has read', () => {
    expect(readFilter('  a=b ')).toEqual({ filter: 'a = b' });
    expect(readFilter('"my key" exists')).toEqual({ filter: '"my key" exists' });
  });
  test('says what is wrong, and where', () => {
    expect(readFilter('a is 5')).toMatchObject({ mistake: { position: { start: 2, end: 4 } } });
    expect(readFilter('a =')).toMatchObject({ mistake: { position: { start: 3, end: 3 } } });
  });
});

test('which filter the server refused', () => {
  const at = (start: number, end: number) => ({ parameter: 'filter', position: { start, end } });
  expect(refusedFilter(['a = 1', 'b is 5'], at(2, 4))).toEqual({ filter: 'b is 5', position: { start: 2, end: 4 } });
  expect(refusedFilter(['a = 1', 'b =~ "("'], at(5, 8))).toEqual({
    filter: 'b =~ "("',
    position: { start: 5, end: 8 },
  });
  expect(refusedFilter(['a = 1', 'b = 2'], at(0, 1))).toBeNull();
  expect(refusedFilter(['a = 1'], { parameter: 'service', position: { start: 0, end: 1 } })).toBeNull();
  expect(refusedFilter(['a = 1'], null)).toBeNull();
});

test('a key is quoted where it must be', () => {
  expect(printKey('http.route', null)).toBe('http.route');
  expect(printKey('my key', 'resource')).toBe('resource."my key"');
  expect(filterFor('my key', { stringValue: 'x' }, 'resource.')).toBe('resource."my key" = "x"');
  // Not the key `y` of the resource.
  expect(filterFor('resource.y', { boolValue: true })).toBe('"resource.y" = true');
  expect(typingStage('"my key" = x')).toMatchObject({ stage: 'value', key: '"my key"', partial: 'x' });
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
