import { expect, it } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { gaugesOf, logsOf, type SpanInput, spansOf } from '../testing/requests.ts';
import { redactionFactory } from './redaction-factory.ts';

function made(yaml: string) {
  const settings = settingsOf(yaml);
  const blueprint = redactionFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const { consumers } = blueprint.create(testContext(), sink.consumers);
  return { sink, consumers: consumers as Required<typeof consumers> };
}

async function redacted(yaml: string, attributes: NonNullable<SpanInput['attributes']>) {
  const { consumers, sink } = made(yaml);
  await consumers.traces.consume(spansOf({ attributes, resource: {} }));
  return Object.fromEntries(sink.spans[0]?.attributes ?? []);
}

// Rules and names of the summary as upstream's README has them.
it('removes attributes whose keys are not allowed', async () => {
  const attributes = { id: 1, name: 'a', group: 'b', safe: 'c' };
  expect(await redacted('{allowed_keys: [id], ignored_keys: [safe], summary: debug}', attributes)).toEqual({
    id: 1n,
    safe: 'c',
    'redaction.redacted.keys': 'group,name',
    'redaction.redacted.count': 2n,
    'redaction.ignored.count': 1n,
  });
});

it('masks what is blocked within values, unless the value is allowed', async () => {
  const yaml = `allow_all_keys: true
blocked_values: ['4[0-9]{12}(?:[0-9]{3})?']
allowed_values: ['.+@mycompany.com']
summary: info
`;
  expect(
    await redacted(yaml, {
      card: 'paid with 4111111111111111 today',
      mail: 'cc 4111111111111111 joe@mycompany.com',
      number: 4111111111111111,
    }),
  ).toEqual({
    card: 'paid with **** today',
    mail: 'cc 4111111111111111 joe@mycompany.com',
    number: 4111111111111111n,
    'redaction.masked.count': 1n,
    'redaction.allowed.count': 1n,
  });
});

it('masks whole values of blocked keys, looks into lists and maps, and may hash', async () => {
  const yaml = `{allow_all_keys: true, blocked_key_patterns: [".*token.*"], blocked_values: [secret], hash_function: md5}`;
  // printf secret | md5sum; printf abc | md5sum
  expect(
    await redacted(yaml, {
      'api.token': 'abc',
      list: ['a secret', 1],
      map: { inner: { my_token: 'abc', ok: 'fine' } },
    }),
  ).toEqual({
    'api.token': '900150983cd24fb0d6963f7d28e17f72',
    list: ['a 5ebe2294ecd0e0f08eab7690d2a6ee69', 1n],
    map: {
      entries: [
        [
          'inner',
          {
            entries: [
              ['my_token', '900150983cd24fb0d6963f7d28e17f72'],
              ['ok', 'fine'],
            ],
          },
        ],
      ],
    },
  });
});

it('looks at values of all types when told to', async () => {
  expect(
    await redacted('{allow_all_keys: true, blocked_values: ["^4[0-9]{15}$"], redact_all_types: true}', {
      number: 4111111111111111,
      other: 5,
    }),
  ).toEqual({ number: '****', other: 5n });
});

it('reaches resources, scopes, events, bodies and points', async () => {
  const { consumers, sink } = made('{allow_all_keys: true, blocked_values: [secret]}');
  const resource = { 'service.name': 'shop', env: 'secret' };
  await consumers.traces.consume(spansOf({ resource, events: [{ name: 'e', attributes: { a: 'secret' } }] }));
  await consumers.logs.consume(
    logsOf({ resource, body: 'a secret' }, { body: { a: 'secret', b: 1 } }, { body: 'fine' }),
  );
  await consumers.metrics.consume(
    gaugesOf({ resource, name: 'a', points: [{ value: 1, attributes: { a: 'secret' } }] }),
  );
  expect(sink.spans[0]?.events[0]?.attributes).toEqual([['a', '****']]);
  expect(sink.logs.map(({ body }) => body)).toEqual([
    'a ****',
    {
      entries: [
        ['a', '****'],
        ['b', 1n],
      ],
    },
    'fine',
  ]);
  expect(sink.points[0]?.attributes).toEqual([['a', '****']]);
  for (const record of [sink.spans[0], sink.logs[0], sink.points[0]]) {
    expect(record?.resource.attributes).toContainEqual(['env', '****']);
  }
});

it('refuses patterns that it cannot read, with their place', () => {
  expect(() => made('allow_all_keys: true\nblocked_values:\n  - fine\n  - "(x"')).toThrow('test.yaml:4');
});
