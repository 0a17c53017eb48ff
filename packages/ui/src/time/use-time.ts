import { useCallback, useMemo } from 'react';
import {
  absoluteRange,
  defaultRange,
  defaultRefresh,
  isLive,
  parseInstant,
  type RefreshInterval,
  type TimeRange,
} from '../data/time-range.ts';
import type { TimeSearch } from '../data/url-state.ts';
import { useSearchState } from '../shell/use-search-state.ts';

export interface Time {
  readonly range: TimeRange;
  readonly refresh: RefreshInterval;
  /** 0 when nothing is to be asked again: switched off, or the range lies in the past. */
  readonly refreshMs: number;
  setRange(range: TimeRange): void;
  setRefresh(refresh: RefreshInterval): void;
  /** From dragging in a chart, Unix milliseconds. */
  zoom(startMs: number, endMs: number): void;
}

const refreshMs: Record<RefreshInterval, number> = { off: 0, '2s': 2000, '5s': 5000 };

/** The time range and refresh interval in the page's address. */
export function useTime(): Time {
  const [search, update] = useSearchState<TimeSearch>();
  const { from, to } = search;
  const range = useMemo(() => readRange(from, to), [from, to]);
  const refresh = search.refresh ?? defaultRefresh;
  const setRange = useCallback(
    (next: TimeRange) =>
      update(
        next.from === defaultRange.from && next.to === defaultRange.to ? { from: undefined, to: undefined } : next,
      ),
    [update],
  );
  const setRefresh = useCallback(
    (next: RefreshInterval) => update({ refresh: next === defaultRefresh ? undefined : next }, { replace: true }),
    [update],
  );
  const zoom = useCallback((startMs: number, endMs: number) => setRange(absoluteRange(startMs, endMs)), [setRange]);
  return { range, refresh, refreshMs: isLive(range) ? refreshMs[refresh] : 0, setRange, setRefresh, zoom };
}

function readRange(from: string | undefined, to: string | undefined): TimeRange {
  const range = { from: from ?? defaultRange.from, to: to ?? defaultRange.to };
  const now = Date.now();
  return parseInstant(range.from, now) === null || parseInstant(range.to, now) === null ? defaultRange : range;
}
