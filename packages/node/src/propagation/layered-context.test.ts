import { createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { getRPCMetadata, isTracingSuppressed, RPCType, setRPCMetadata, suppressTracing } from '@opentelemetry/core';
import { expect, test } from 'vitest';
import { contextKeyOf, contextWith, contextWithSpan } from './layered-context.ts';

const spanOf = (id: string) => trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: id.repeat(16), traceFlags: 1 });
const [one, other] = [createContextKey('one'), createContextKey('other')];

test('holds what is set, leaves what it was made of alone, and shows the rest of its base', () => {
  const base = ROOT_CONTEXT.setValue(one, 'base').setValue(other, 'base');
  const first = contextWith(base, [one], [1]);
  const second = first.setValue(one, 2).setValue(createContextKey('third'), 3);
  expect([base, first, second].map((each) => each.getValue(one))).toEqual(['base', 1, 2]);
  expect(second.getValue(other)).toBe('base');
  expect(second.getValue(createContextKey('third'))).toBe(3);
  expect(first.getValue(createContextKey('third'))).toBeUndefined();
});

test('a deleted value is gone, the one of the base included', () => {
  const base = ROOT_CONTEXT.setValue(one, 'base');
  expect(contextWith(base, [one], [1]).deleteValue(one).getValue(one)).toBeUndefined();
  expect(contextWith(base, [other], [1]).deleteValue(one).getValue(one)).toBeUndefined();
  expect(base.getValue(one)).toBe('base');
});

test('spans and values of the official packages are found by their own functions', () => {
  const [outer, inner] = [spanOf('1'), spanOf('2')];
  const parent = contextWithSpan(ROOT_CONTEXT, outer);
  expect(trace.getSpan(parent)).toBe(outer);
  expect(trace.getSpan(trace.setSpan(parent, inner))).toBe(inner);
  expect(trace.getSpan(trace.deleteSpan(parent))).toBeUndefined();
  expect(isTracingSuppressed(suppressTracing(parent))).toBe(true);
  expect(isTracingSuppressed(parent)).toBe(false);
  const metadata = { type: RPCType.HTTP, span: outer } as const;
  const key = contextKeyOf((probe) => setRPCMetadata(probe, metadata));
  expect(getRPCMetadata(contextWith(parent, [key], [metadata]))).toBe(metadata);
});
