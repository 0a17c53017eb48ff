import { describe, expect, it } from 'vitest';
import { spanWeight } from './span-weight.ts';

function weight(traceState: string): number {
  const bytes = Buffer.from(`xx${traceState}yy`);
  return spanWeight(bytes, 2, bytes.length - 2);
}

// Thresholds and adjusted counts: OpenTelemetry "TraceState: probability sampling", threshold examples.
describe('spanWeight', () => {
  it.each([
    ['ot=th:0', 1],
    ['ot=th:8', 2],
    ['ot=th:c', 4],
    ['ot=th:e', 8],
    ['ot=th:f', 16],
    ['ot=th:ff', 256],
    ['ot=th:c;rv:0123456789abcd', 4],
    ['ot=rv:0123456789abcd;th:8', 2],
    ['vendor=1,ot=th:8,other=th:f', 2],
    ['vendor=ot=th:f, ot=th:8', 2],
    ['ot=th:fffffffffffffe', 2 ** 55],
    ['ot=th:ffffffffffffff', 2 ** 56],
  ])('%s stands for %d', (traceState, expected) => {
    expect(weight(traceState)).toBe(expected);
  });

  it('is near 1.11 for a threshold of a tenth', () => {
    expect(weight('ot=th:1999999999999a')).toBeCloseTo(1 / 0.9, 10);
  });

  it.each([
    '',
    'vendor=th:8',
    'ot=',
    'ot=th:',
    'ot=th:zz',
    'ot=th:C',
    'ot=th:000000000000000',
    'ot=xth:8',
    'o=th:8',
    'ot',
  ])('takes %j for no threshold', (traceState) => {
    expect(weight(traceState)).toBe(1);
  });
});
