import { expect, test } from 'vitest';
import { writeExposition } from './write-exposition.ts';

test.each([
  ['http.requests', 'user.id', 'http_requests{user_id="a"} 1'],
  ['3d:points', '3d', '_d:points{_d="a"} 1'],
  ['größe', 'größe', 'gr__e{gr__e="a"} 1'],
])('escapes the name %s, each character that it may not have where it is', (name, label, line) => {
  const family = { name, type: 'gauge', help: '', unit: '' } as const;
  const one = { kind: 'number', value: 1 } as const;
  const series = [{ labels: [[label, 'a']], timeMs: null, value: one, exemplars: [] }] as const;
  expect(writeExposition([{ family, series }], { openMetrics: false, utf8Names: false })).toContain(`\n${line}\n`);
});
