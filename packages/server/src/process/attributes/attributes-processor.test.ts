import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { describe, expect, it } from 'vitest';
import { chosenBy, logMatcher, pointMatcher, spanMatcher } from '../match/record-matcher.ts';
import { Regex } from '../regex.ts';
import { gaugesOf, logsOf, type SpanInput, spansOf } from '../testing/requests.ts';
import type { AttributeAction } from './attribute-actions.ts';
import { logAttributes, pointAttributes, resourceAttributes, spanAttributes } from './attributes-processor.ts';

// The actions as the README of the Collector's attributes processor describes them.

function edited(attributes: SpanInput['attributes'], ...actions: AttributeAction[]) {
  const [span] = spanObjects(spanAttributes(actions, null)(spansOf({ attributes: attributes ?? {} })));
  return Object.fromEntries(span?.attributes ?? []);
}

describe('actions', () => {
  it('insert only what is absent, update only what is there, upsert both', () => {
    const source = { value: 'new' };
    expect(edited({ a: 'old' }, { action: 'insert', key: 'a', source })).toEqual({ a: 'old' });
    expect(edited({}, { action: 'insert', key: 'a', source })).toEqual({ a: 'new' });
    expect(edited({ a: 'old' }, { action: 'update', key: 'a', source })).toEqual({ a: 'new' });
    expect(edited({}, { action: 'update', key: 'a', source })).toEqual({});
    expect(edited({ a: 'old' }, { action: 'upsert', key: 'a', source })).toEqual({ a: 'new' });
    expect(edited({}, { action: 'upsert', key: 'a', source })).toEqual({ a: 'new' });
  });

  it('take values of every type, and of other attributes', () => {
    expect(edited({}, { action: 'insert', key: 'a', source: { value: 7n } })).toEqual({ a: 7n });
    const source = { fromAttribute: 'b' };
    expect(edited({ b: 1.5 }, { action: 'upsert', key: 'a', source })).toEqual({ b: 1.5, a: 1.5 });
    expect(edited({ a: 'old' }, { action: 'upsert', key: 'a', source })).toEqual({ a: 'old' });
  });

  it('see what the actions before them did', () => {
    const copy: AttributeAction = { action: 'insert', key: 'b', source: { fromAttribute: 'a' } };
    const remove: AttributeAction = { action: 'delete', key: 'a', pattern: null };
    expect(edited({ a: 1 }, copy, remove)).toEqual({ b: 1n });
    expect(edited({ a: 1 }, remove, copy)).toEqual({});
  });

  it('delete by key and by pattern', () => {
    const attributes = { 'http.url': 1, 'http.target': 2, token: 3 };
    expect(edited(attributes, { action: 'delete', key: 'token', pattern: new Regex('url$') })).toEqual({
      'http.target': 2n,
    });
  });

  it('hash strings and numbers', () => {
    // printf abc | sha256sum; printf '\x07\0\0\0\0\0\0\0' | sha256sum
    const hashed = edited(
      { 'user.a': 'abc', 'user.b': 7, other: 'x' },
      { action: 'hash', key: null, pattern: new Regex('^user') },
    );
    expect(hashed).toEqual({
      'user.a': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'user.b': 'aae89fc0f03e2959ae4d701a80cc3915918c950b159f6abb6c92c1433b1a8534',
      other: 'x',
    });
  });

  it('extract the named groups of a pattern', () => {
    const pattern = new Regex('^/api/v1/document/(?P<documentId>.*)/update$');
    expect(
      edited({ 'http.target': '/api/v1/document/12345678/update' }, { action: 'extract', key: 'http.target', pattern }),
    ).toMatchObject({ documentId: '12345678' });
    expect(edited({ 'http.target': '/other' }, { action: 'extract', key: 'http.target', pattern })).toEqual({
      'http.target': '/other',
    });
  });

  it('convert types, and leave what has none', () => {
    const convert = (convertedType: 'int' | 'double' | 'string') =>
      ({ action: 'convert', key: 'a', convertedType }) as const;
    expect(edited({ a: '12' }, convert('int'))).toEqual({ a: 12n });
    expect(edited({ a: '1.5' }, convert('double'))).toEqual({ a: 1.5 });
    expect(edited({ a: 12 }, convert('string'))).toEqual({ a: '12' });
    expect(edited({ a: 'x' }, convert('int'))).toEqual({ a: 'x' });
  });
});

describe('chosen records', () => {
  const mark: AttributeAction = { action: 'upsert', key: 'mark', source: { value: true } };
  const marked = (batch: ReturnType<typeof spansOf>) =>
    spanObjects(batch).map(({ attributes }) => new Map(attributes).has('mark'));

  it('match every property that is given', () => {
    const batch = spansOf(
      { name: 'login', resource: { 'service.name': 'auth', env: 'prod' }, attributes: { tier: 1 } },
      { name: 'logout', resource: { 'service.name': 'auth', env: 'prod' }, attributes: { tier: 2 } },
      { name: 'login', resource: { 'service.name': 'shop', env: 'prod' }, attributes: { tier: 1 } },
    );
    const matcher = spanMatcher({
      matchType: 'strict',
      services: ['auth', 'billing'],
      spanNames: ['login'],
      attributes: [{ key: 'tier', value: 1n }],
      resources: [{ key: 'env', value: 'prod' }],
    });
    expect(marked(spanAttributes([mark], matcher)(batch))).toEqual([true, false, false]);
  });

  it('match patterns anywhere in the text', () => {
    const batch = spansOf({ name: 'auth.login', kind: 3, scope: 'lib' }, { name: 'other', kind: 2, scope: 'lib' });
    const matcher = spanMatcher({
      matchType: 'regexp',
      spanNames: ['log(in|out)'],
      spanKinds: ['CLIENT$'],
      libraries: [{ name: '^l', version: undefined }],
    });
    expect(marked(spanAttributes([mark], matcher)(batch))).toEqual([true, false]);
  });

  it('are those included and not excluded', () => {
    const batch = spansOf({ name: 'a' }, { name: 'b' }, { name: 'c' });
    const include = spanMatcher({ matchType: 'strict', spanNames: ['a', 'b'] });
    const exclude = spanMatcher({ matchType: 'strict', spanNames: ['b'] });
    expect(marked(spanAttributes([mark], chosenBy(include, exclude))(batch))).toEqual([true, false, false]);
  });

  it('may be log records by body and severity', () => {
    const chosen = logMatcher({
      matchType: 'regexp',
      logBodies: ['fail'],
      logSeverityNumber: { min: 17, matchUndefined: false },
    });
    const batch = logsOf(
      { body: 'failed', severityNumber: 17 },
      { body: 'failed', severityNumber: 9 },
      { body: 'fine', severityNumber: 18 },
    );
    expect(logObjects(logAttributes([mark], chosen)(batch)).map(({ attributes }) => attributes.length)).toEqual([
      1, 0, 0,
    ]);
  });

  it('may be points by the name of their metric', () => {
    const chosen = pointMatcher({
      matchType: 'strict',
      metricNames: ['cpu'],
      attributes: [{ key: 'core', value: '0' }],
    });
    const batch = gaugesOf(
      {
        name: 'cpu',
        points: [
          { value: 1.5, attributes: { core: '0' } },
          { value: 1.5, attributes: { core: '1' } },
        ],
      },
      { name: 'memory', points: [{ value: 1.5, attributes: { core: '0' } }] },
    );
    const points = metricPointObjects(pointAttributes([mark], chosen)(batch));
    expect(points.map(({ attributes }) => attributes.length)).toEqual([2, 1, 1]);
  });
});

it('attributes of resources change for every record that has the resource', () => {
  const batch = resourceAttributes([
    { action: 'upsert', key: 'service.name', source: { value: 'renamed' } },
    { action: 'delete', key: 'host.name', pattern: null },
  ])(spansOf({ resource: { 'service.name': 'shop', 'host.name': 'h' } }));
  expect(spanObjects(batch)[0]?.resource).toMatchObject({
    service: 'renamed',
    attributes: [['service.name', 'renamed']],
  });
});
