import type { Span } from '@signalbox/api-contract';
import { describe, expect, test } from 'vitest';
import { makeSpan } from '../../mock/make-span.ts';
import { collapseBelow, expandTo, layoutWaterfall, visibleRows } from './waterfall.ts';

const ids = (nodes: readonly { span: Span }[]) => nodes.map(({ span }) => span.spanId);

describe('layoutWaterfall', () => {
  test('draws children below their parent, by start, longer first', () => {
    const layout = layoutWaterfall([
      makeSpan('c', 'a', 5, 6),
      makeSpan('b2', 'a', 1, 2),
      makeSpan('b', 'a', 1, 4),
      makeSpan('d', 'b', 2, 3),
      makeSpan('a', '', 0, 10),
    ]);
    expect(ids(layout.nodes)).toEqual(['a', 'b', 'd', 'b2', 'c']);
    expect(layout.nodes.map(({ depth }) => depth)).toEqual([0, 1, 2, 1, 1]);
    expect(layout.nodes[0]).toMatchObject({ size: 5, start: 0, end: 10e6 });
    expect(layout.duration).toBe(10e6);
  });

  test('keeps single nanoseconds of times that no number can hold', () => {
    const layout = layoutWaterfall([
      makeSpan('a', '', 0, 1, { startTimeUnixNano: '1764000000000000001', endTimeUnixNano: '1764000000000000009' }),
      makeSpan('b', 'a', 0, 1, { startTimeUnixNano: '1764000000000000003', endTimeUnixNano: '1764000000000000004' }),
    ]);
    expect(layout.bySpanId.get('b')).toMatchObject({ start: 2, end: 3 });
    expect(layout.duration).toBe(8);
  });

  test('shows a span whose parent did not arrive as a root', () => {
    const layout = layoutWaterfall([makeSpan('a', '', 0, 10), makeSpan('b', 'gone', 2, 4), makeSpan('c', 'b', 3, 4)]);
    expect(ids(layout.roots)).toEqual(['a', 'b']);
    expect(layout.missingParents).toBe(1);
    expect(layout.bySpanId.get('c')?.depth).toBe(1);
  });

  test('opens circles of parents, and a span that is its own parent', () => {
    const layout = layoutWaterfall([
      makeSpan('a', 'c', 0, 9),
      makeSpan('b', 'a', 1, 8),
      makeSpan('c', 'b', 2, 7),
      makeSpan('self', 'self', 3, 4),
    ]);
    expect(new Set(ids(layout.nodes))).toEqual(new Set(['a', 'b', 'c', 'self']));
    expect(layout.nodes).toHaveLength(4);
    expect(layout.roots.length).toBeGreaterThanOrEqual(2);
  });

  test('of two spans with one id the first counts', () => {
    expect(layoutWaterfall([makeSpan('a', '', 0, 1), makeSpan('a', '', 0, 5)]).nodes).toHaveLength(1);
  });

  test('says which spans begin before their caller in another process', () => {
    const layout = layoutWaterfall([
      makeSpan('a', '', 10, 30),
      makeSpan('b', 'a', 2, 12, { resource: 1 }),
      makeSpan('c', 'a', 2, 12),
    ]);
    expect(layout.bySpanId.get('b')?.skewed).toBe(true);
    expect(layout.bySpanId.get('c')?.skewed).toBe(false);
    expect(layout.skewed).toBe(1);
  });

  test('does not break on ends before starts, on zero times, or on nothing', () => {
    expect(layoutWaterfall([]).nodes).toEqual([]);
    const layout = layoutWaterfall([
      makeSpan('a', '', 5, 1),
      makeSpan('b', 'a', 0, 0, { startTimeUnixNano: '0', endTimeUnixNano: '0' }),
    ]);
    for (const { start, end } of layout.nodes) expect(end).toBeGreaterThanOrEqual(start);
  });

  test('lays out ten thousand spans, even when each is the child of the one before', () => {
    const spans = Array.from({ length: 10_000 }, (_, index) =>
      makeSpan(`s${index}`, index ? `s${index - 1}` : '', index, 20_000),
    );
    const started = performance.now();
    const layout = layoutWaterfall(spans);
    expect(layout.nodes.at(-1)?.depth).toBe(9999);
    expect(layout.nodes[0]?.size).toBe(10_000);
    // A chain is the worst case of the search for circles; anything quadratic with a large factor shows here.
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

test('a collapsed row hides what is below it and tells its errors', () => {
  const layout = layoutWaterfall([
    makeSpan('a', '', 0, 10),
    makeSpan('b', 'a', 1, 5),
    makeSpan('c', 'b', 2, 3, { status: { code: 'ERROR', message: '' } }),
    makeSpan('d', 'a', 6, 7),
  ]);
  expect(ids(visibleRows(layout, new Set(['b'])))).toEqual(['a', 'b', 'd']);
  expect(layout.bySpanId.get('b')?.errorsBelow).toBe(1);
  expect(layout.bySpanId.get('c')?.errorsBelow).toBe(0);
  const all = collapseBelow(layout, 0);
  expect(ids(visibleRows(layout, all))).toEqual(['a']);
  expect(ids(visibleRows(layout, expandTo(layout, 'c', all)))).toEqual(['a', 'b', 'c', 'd']);
});
