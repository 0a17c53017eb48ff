import { describe, expect, test } from 'vitest';
import { makeSpan } from '../../mock/make-span.ts';
import { criticalPath, criticalSelfTime } from './critical-path.ts';
import { layoutWaterfall } from './waterfall.ts';

type SpanRow = [id: string, parent: string, startMs: number, endMs: number];

function pathOf(...rows: SpanRow[]): [string, number, number][] {
  const layout = layoutWaterfall(rows.map((row) => makeSpan(...row)));
  const root = layout.roots[0];
  if (!root) throw new Error('no root');
  return criticalPath(root).map(({ spanId, start, end }) => [spanId, start / 1e6, end / 1e6]);
}

describe('criticalPath', () => {
  test('a span alone is all of it', () => {
    expect(pathOf(['a', '', 0, 10])).toEqual([['a', 0, 10]]);
  });

  test('goes through children that follow each other, the parent in between', () => {
    expect(pathOf(['a', '', 0, 10], ['b', 'a', 1, 4], ['c', 'a', 5, 9])).toEqual([
      ['a', 0, 1],
      ['b', 1, 4],
      ['a', 4, 5],
      ['c', 5, 9],
      ['a', 9, 10],
    ]);
  });

  test('of children beside each other, the one that finished last was waited for', () => {
    expect(pathOf(['a', '', 0, 10], ['fast', 'a', 1, 4], ['slow', 'a', 1, 8])).toEqual([
      ['a', 0, 1],
      ['slow', 1, 8],
      ['a', 8, 10],
    ]);
  });

  test('a child that goes on after its parent was not waited for', () => {
    expect(pathOf(['a', '', 0, 10], ['background', 'a', 2, 50])).toEqual([['a', 0, 10]]);
  });

  test("the server's side of a call was waited for, even when it seems to end later", () => {
    const layout = layoutWaterfall([
      makeSpan('client', '', 0, 10, { kind: 'CLIENT' }),
      makeSpan('server', 'client', 4, 12, { kind: 'SERVER', resource: 1 }),
      makeSpan('query', 'server', 5, 9),
    ]);
    const root = layout.roots[0];
    if (!root) throw new Error('no root');
    expect(criticalPath(root).map(({ spanId, start, end }) => [spanId, start / 1e6, end / 1e6])).toEqual([
      ['client', 0, 4],
      ['server', 4, 5],
      ['query', 5, 9],
      ['server', 9, 10],
    ]);
  });

  test('a child that begins before its parent counts from the parent on', () => {
    expect(pathOf(['root', '', 0, 20], ['a', 'root', 5, 15], ['early', 'a', 2, 10])).toEqual([
      ['root', 0, 5],
      ['early', 5, 10],
      ['a', 10, 15],
      ['root', 15, 20],
    ]);
  });

  test('sections never overlap and are together as long as the root', () => {
    let seed = 42;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    for (let round = 0; round < 50; round++) {
      const rows: SpanRow[] = [['s0', '', 0, 1000]];
      for (let index = 1; index < 60; index++) {
        const parent = rows[Math.floor(random() * rows.length)];
        if (!parent) continue;
        const start = Math.floor(parent[2] - 20 + random() * (parent[3] - parent[2]));
        rows.push([`s${index}`, parent[0], start, start + Math.floor(random() * (parent[3] - parent[2]))]);
      }
      const layout = layoutWaterfall(rows.map((row) => makeSpan(...row)));
      const root = layout.bySpanId.get('s0');
      if (!root) throw new Error('no root');
      const sections = criticalPath(root);
      for (let index = 1; index < sections.length; index++)
        expect(sections[index]?.start).toBe(sections[index - 1]?.end);
      const total = [...criticalSelfTime(sections).values()].reduce((sum, time) => sum + time, 0);
      expect(total).toBe(root.end - root.start);
    }
  });
});
