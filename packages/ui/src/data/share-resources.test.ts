import type { KeyValue, LogRecord } from '@signalbox/api-contract';
import { expect, test } from 'vitest';
import { shareResources } from './share-resources.ts';

test('equal resources are held once', () => {
  const record = (name: string) =>
    ({ resourceAttributes: [{ key: 'service.name', value: { stringValue: name } }] }) as unknown as LogRecord;
  const known = new Map<string, KeyValue[]>();
  const [first, other] = shareResources([record('a'), record('b')], known);
  const [again] = shareResources([record('a')], known);
  expect(again?.resourceAttributes).toBe(first?.resourceAttributes);
  expect(other?.resourceAttributes).toEqual(record('b').resourceAttributes);
});
