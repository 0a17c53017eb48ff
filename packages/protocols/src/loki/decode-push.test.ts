import { logObjects } from '@signalbox/records';
import { describe, expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { decodeSnappy } from '../snappy/decode-snappy.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { decodeLokiJson, decodeLokiProtobuf } from './decode-push.ts';
import { parseLabels } from './parse-labels.ts';

const json = (value: unknown) => decodeLokiJson(new TextEncoder().encode(JSON.stringify(value)));
const line = (text: string, metadata: object = {}, stream: object = { job: 'a' }) =>
  logObjects(json({ streams: [{ stream, values: [['1700000000000000001', text, metadata]] }] }))[0];

test('what Loki’s own client library sends becomes records', () => {
  const records = logObjects(decodeLokiProtobuf(decodeSnappy(goClientBytes('lokiPush'), 1 << 20)));
  expect(records.map(({ time, body }) => [time, body])).toEqual([
    [1700000000123456789n, expect.stringContaining('"no such track"')],
    [1700000001000000000n, 'level=warn traceID=0af7651916cd43dd8448eb211c80319c msg="slow query"'],
    [1700000002000000005n, 'plain line'],
    [1700000003000000000n, 'done'],
  ]);
  expect(records[0]?.resource.attributes).toEqual([
    ['job', 'sidechain'],
    ['container', 'backend'],
    ['filename', '/var/log/a "b".log'],
    ['service.name', 'backend'],
    ['loki.resource.labels', 'job,container,filename'],
  ]);
  expect(records[0]).toMatchObject({
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    severityNumber: 17,
    severityText: 'error',
    resource: { service: 'backend' },
  });
  expect(records[1]).toMatchObject({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '0000000000000000',
    severityNumber: 13,
  });
  expect(records[2]).toMatchObject({
    traceId: '5b8efff798038103d269b633813fc60c',
    attributes: [
      ['trace_id', '5b8efff798038103d269b633813fc60c'],
      ['user', '7'],
    ],
  });
  expect(records[3]).toMatchObject({ severityNumber: 9, resource: { service: 'worker' } });
});

describe('labels', () => {
  it.each([
    ['{}', []],
    [
      '{ "foo"="bar2",   "env" = "prod" }',
      [
        ['foo', 'bar2'],
        ['env', 'prod'],
      ],
    ],
    ['{a="x\\"y\\\\z\\n\\u00e9\\x41",}', [['a', 'x"y\\z\né\x41']]],
  ])('%s', (text, expected) => {
    expect(parseLabels(text)).toEqual(expected);
  });

  it.each(['', 'a="b"', '{a=b}', '{a="b" c="d"}', '{a="b}', '{a="b"', '{,}'])('%s is refused', (text) => {
    expect(() => parseLabels(text)).toThrow(ProtocolDecodeError);
  });

  it('become resource attributes as Loki made them of such, and name the service as Loki finds it', () => {
    const { resource } = line('x', {}, { k8s_pod_name: 'p', app: 'shop', job: 'j' }) ?? {};
    expect(resource?.attributes).toEqual([
      ['k8s.pod.name', 'p'],
      ['app', 'shop'],
      ['job', 'j'],
      ['service.name', 'shop'],
      ['loki.resource.labels', 'k8s.pod.name,app,job'],
    ]);
    expect(line('x', {}, { service_name: 's', app: 'a' })?.resource.service).toBe('s');
    expect(line('x', {}, { foo: 'bar' })?.resource.service).toBe('unknown_service');
  });
});

describe('a line', () => {
  const traceId = '5b8efff798038103d269b633813fc60c';
  const none = '0'.repeat(32);

  it.each([
    ['JSON', `{"a":{"trace_id":"x"},"traceId":"${traceId}","level":30}`, traceId, 9],
    ['logfmt', `ts=1 lvl=eror trace_id="${traceId}" x=y`, traceId, 17],
    ['JSON of another kind', '{"level":"loud","trace_id":"12"}', none, 0],
    ['words', `the level is high and trace_id is ${traceId}`, none, 0],
    ['half of JSON', `{"trace_id": "${traceId}"`, none, 0],
    ['zeros', `trace_id=${none}`, none, 0],
  ])('in %s', (_, text, expectedTrace, severityNumber) => {
    expect(line(text)).toMatchObject({ traceId: expectedTrace, severityNumber, body: text });
  });

  it('says less than structured metadata', () => {
    expect(line(`trace_id=${'1'.repeat(32)}`, { traceID: traceId, level: 'warn' })).toMatchObject({
      traceId,
      severityNumber: 13,
      attributes: [
        ['traceID', traceId],
        ['level', 'warn'],
      ],
    });
  });
});

it.each([
  ['no JSON', '{'],
  ['no streams', '{}'],
  ['no labels', '{"streams":[{"stream":{},"values":[]}]}'],
  ['a line that is no string', '{"streams":[{"stream":{"a":"b"},"values":[["1",{"a":1}]]}]}'],
  ['a time that is no string', '{"streams":[{"stream":{"a":"b"},"values":[[1,"x"]]}]}'],
  ['metadata that are no strings', '{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"a":1}]]}]}'],
])('%s is refused', (_, text) => {
  expect(() => decodeLokiJson(new TextEncoder().encode(text))).toThrow(ProtocolDecodeError);
});

const JSON_PUSH = '{"streams":[{"stream":{"a":"b"},"values":[["1","level=info x",{"a":"1"}]]}]}';

it.each([
  ['protobuf', decodeLokiProtobuf, decodeSnappy(goClientBytes('lokiPush'), 1 << 20)],
  ['JSON', decodeLokiJson, new TextEncoder().encode(JSON_PUSH)],
] as const)(
  'never does anything but decode or refuse hostile bytes (%s)',
  { timeout: FUZZ_TIMEOUT },
  (_, decode, sample) => {
    fuzz(
      [sample],
      (bytes) => logObjects(decode(bytes)),
      (error) => error instanceof ProtocolDecodeError,
    );
  },
);
