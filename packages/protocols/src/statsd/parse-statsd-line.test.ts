import { expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { parseStatsdLine } from './parse-statsd-line.ts';

// What the Collector's receiver makes of lines stands beside the receiver, in receive/statsd/statsd-aggregation.test.ts.

test('a line with all that DogStatsD has', () => {
  expect(parseStatsdLine('page.views:+1.5e1|c|@0.25|#b:2,a:x:y,b:3|c:0123abc|T1700000000', false)).toEqual({
    name: 'page.views',
    type: 'c',
    value: 15,
    relative: true,
    sampleRate: 0.25,
    timeSeconds: 1_700_000_000,
    attributes: [
      ['a', 'x:y'],
      ['b', '3'],
      ['container.id', '0123abc'],
    ],
  });
});

it.each([
  ['a', 'there is no type'],
  ['a|c', 'there is no value'],
  [':1|c', 'there is no name'],
  ['a:1|s', 'the type is none of c, g, ms, h, d'],
  ['a:1:2|c', 'the value is not a number, or not finite'],
  ['a:0x10|c', 'the value is not a number, or not finite'],
  ['a:|c', 'the value is not a number, or not finite'],
  ['a:1|c|@0.1.2', 'the sample rate is not a number'],
  ['a:1|ms|@1e-17', 'the sample rate is too small'],
  ['a:1|c|#k', 'a tag has no value (see enable_simple_tags)'],
  ['a:1|c|#:v', 'a tag has no key'],
  ['a:1|ms|T1', 'only counters and gauges may have a time'],
  ['a:1|c|T123456789012', 'the time is not in seconds'],
  ['a:1|c|x', 'a part is none of @rate, #tags, c:container, Ttime'],
])('%s is refused', (line, reason) => {
  expect(() => parseStatsdLine(line, false)).toThrow(new ProtocolDecodeError(reason));
});

it('never does anything but parse or refuse hostile bytes', { timeout: FUZZ_TIMEOUT }, () => {
  const lines = ['a.b:1|c|@0.5|#k:v,l:w', 'g:-1.5e3|g|#k:v|T1700000000', 't:0.25|ms|@0.1|#k:v|c:abc', 'h:12|h|#,k:v,'];
  const parse = (bytes: Uint8Array) => {
    const { value, sampleRate, attributes } = parseStatsdLine(Buffer.from(bytes).toString(), true);
    if (!Number.isFinite(value) || !(sampleRate > 0 && sampleRate <= 1) || attributes.some(([key]) => key === '')) {
      throw new TypeError('parsed what it must refuse');
    }
  };
  fuzz(
    lines.map((line) => Buffer.from(line)),
    parse,
    (error) => error instanceof ProtocolDecodeError,
  );
});
