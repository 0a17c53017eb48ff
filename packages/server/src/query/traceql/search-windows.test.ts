import { describe, expect, test } from 'vitest';
import { searchWindows } from './search-windows.ts';

const second = 1_000_000_000n;
const hour = 3_600n * second;
const now = 1_790_000_000n * second;

function windows(options: {
  hours: bigint;
  limit?: number;
  found?: number[];
  isBySpanStart?: boolean;
  until?: bigint;
}) {
  const { hours, limit = 20, found = [], isBySpanStart = true, until = now } = options;
  const range = { from: now - hours * hour, to: now };
  let searched = 0;
  const nowMs = Number(now / 1_000_000n);
  return [...searchWindows({ range, limit, isBySpanStart }, until, nowMs, () => found[searched++] ?? 0)];
}

describe('searchWindows', () => {
  test('covers the range once, from its end', () => {
    const all = windows({ hours: 100n });
    expect(all[0]?.window).toEqual({ from: now - 300n * second, to: now });
    expect(all.at(-1)?.window.from).toBe(now - 100n * hour);
    for (const [index, { window }] of all.slice(1).entries()) expect(window.to).toBe(all[index]?.window.from);
    const shares = all.map(({ share }) => share.before);
    expect(shares[0]).toBe(0);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  test('reaches beyond the range for traces that overlap it', () => {
    const all = windows({ hours: 2n, isBySpanStart: false, until: now + hour });
    expect([all[0]?.window.to, all.at(-1)?.window.from]).toEqual([now + hour, now - 3n * hour]);
  });

  test('looks as far back as what was found lets expect, with some to spare', () => {
    // 2 of 20 in five minutes: the rest within 50, and a half more.
    expect(windows({ hours: 100n, found: [2] })[1]?.window.from).toBe(now - 75n * 60n * second);
    // Nearly enough: not much further.
    expect(windows({ hours: 100n, found: [19] })[1]?.window.from).toBe(now - 20n * 60n * second);
  });

  test('a range of half an hour is small as a whole', () => {
    const range = { from: now - hour / 2n, to: now };
    const all = [...searchWindows({ range, limit: 20, isBySpanStart: true }, now, Number(now / 1_000_000n), () => 0)];
    expect(all.map(({ isSmall }) => isSmall)).toEqual([true, true]);
  });
});
