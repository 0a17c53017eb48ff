import { afterEach, describe, expect, it, vi } from 'vitest';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { RowFlusher } from './row-flusher.ts';
import { RowCollector } from './testing/spans.ts';

function flusher(maxKeptRows = 10) {
  const collector = new RowCollector<string>();
  const gathered: string[] = [];
  const errors: unknown[] = [];
  const rows = new RowFlusher<string>({
    take: () => gathered.splice(0),
    next: collector,
    onError: (error) => errors.push(error),
    maxKeptRows,
  });
  return { rows, collector, gathered, errors };
}

describe('RowFlusher', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('hands on what was gathered once a second, and nothing when there is nothing', async () => {
    vi.useFakeTimers();
    const { rows, collector, gathered } = flusher();
    rows.start();
    gathered.push('a', 'b');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(collector.sizes).toEqual([2]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(collector.sizes).toEqual([2]);
    gathered.push('c');
    await rows.shutdown(1_000);
    expect(collector.rows).toEqual(['a', 'b', 'c']);
    gathered.push('d');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(collector.rows).toEqual(['a', 'b', 'c']);
  });

  it('keeps what is refused for now, and hands it on once', async () => {
    const { rows, collector, gathered } = flusher();
    collector.error = new SignalboxError('unavailable', 'disk full');
    gathered.push('a');
    await expect(rows.flush()).rejects.toThrow('disk full');
    collector.error = null;
    gathered.push('b');
    await rows.flush();
    await rows.flush();
    expect(collector.rows).toEqual(['a', 'b']);
  });

  it.each([
    ['will never be taken', new SignalboxError('internal', 'a bug'), 10],
    ['are too many to keep', new SignalboxError('unavailable', 'disk full'), 1],
  ])('gives up rows that %s', async (_, error, maxKeptRows) => {
    const { rows, collector, gathered } = flusher(maxKeptRows);
    collector.error = error;
    gathered.push('a', 'b');
    await expect(rows.flush()).rejects.toBe(error);
    collector.error = null;
    await rows.flush();
    expect(collector.rows).toEqual([]);
  });

  it('reports what nobody waited for', async () => {
    vi.useFakeTimers();
    const { rows, collector, gathered, errors } = flusher();
    rows.start();
    collector.error = new SignalboxError('unavailable', 'disk full');
    gathered.push('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(errors).toEqual([collector.error]);
    await rows.shutdown(10);
    expect(errors).toHaveLength(2);
  });

  it('does not wait beyond the deadline', async () => {
    const never = new RowFlusher<string>({
      take: () => ['a'],
      next: { consume: () => new Promise(() => {}) },
      onError: () => {},
      maxKeptRows: 1,
    });
    await never.shutdown(20);
  });
});
