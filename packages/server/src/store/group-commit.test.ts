import { afterEach, describe, expect, it, vi } from 'vitest';
import { ALL_ACCEPTED } from '../pipeline/consumer.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import type { BlockBuilder, TableBlock } from './block-builder.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';

/** A builder whose block's table name carries its rows. */
class WordBuilder implements BlockBuilder<string> {
  words: string[] = [];
  get partitions(): number {
    return this.words.filter((word) => word === 'scattered').length * 1_000;
  }
  commits = 0;
  encodings = 0;

  get rows(): number {
    return this.words.length;
  }
  get byteLength(): number {
    return this.words.join('').length;
  }
  append(word: string): typeof ALL_ACCEPTED {
    this.words.push(word);
    if (word === 'unencodable' || (word === 'once' && this.encodings++ > 0)) {
      throw new TypeError('broken batch');
    }
    return ALL_ACCEPTED;
  }
  blocks(): TableBlock[] {
    return [{ table: this.words.join(' '), block: { rows: this.rows, columns: [], chunks: [], byteLength: 0 } }];
  }
  committed(): void {
    this.commits++;
  }
  reset(): void {
    this.words = [];
  }
}

function commits(
  insert: (words: string, more: (() => boolean) | undefined) => Promise<void>,
  options: Partial<GroupCommitOptions<string>> = {},
): GroupCommit<string> {
  return new GroupCommit<string>({
    createBuilder: () => new WordBuilder(),
    sizeOf: (word) => word.length,
    insert: ({ table }, more) => insert(table, more),
    lingerMs: 2,
    ...options,
  });
}

describe('GroupCommit', () => {
  it('joins what comes together, and gathers while it writes', async () => {
    const inserts: string[] = [];
    let finish: () => void = () => {};
    const group = commits((words) => {
      inserts.push(words);
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    let settled = 0;
    const consume = (word: string): Promise<void> =>
      group.consume(word).then(() => {
        settled++;
      });
    const first = [consume('a'), consume('b')];
    await expect.poll(() => inserts, { timeout: 10_000 }).toEqual(['a b']);
    const second = [consume('c')];
    await new Promise((resolve) => setTimeout(resolve, 20));
    second.push(consume('d'));
    expect(inserts).toEqual(['a b']);
    expect(settled).toBe(0);
    finish();
    await Promise.all(first);
    expect(settled).toBe(2);
    // c and d waited for longer than a linger, but together.
    await expect.poll(() => inserts, { timeout: 10_000 }).toEqual(['a b', 'c d']);
    finish();
    await Promise.all(second);
  });

  describe('behind an insert of 20 ms', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    /** When each group was written, in ms, of batches that come at `arrivals`; the insert before them is left out. */
    async function written(arrivals: readonly number[]): Promise<string[]> {
      vi.useFakeTimers();
      const inserts: string[] = [];
      let start = Number.NaN;
      const group = commits(async (words) => {
        inserts.push(`${performance.now() - start} ms: ${words}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      const first = group.consume('first');
      await vi.runAllTimersAsync();
      await first;
      inserts.length = 0;
      start = performance.now();
      const all: Promise<unknown>[] = [];
      for (const at of arrivals) {
        await vi.advanceTimersByTimeAsync(at - (performance.now() - start));
        all.push(group.consume(`${at}`));
      }
      await vi.runAllTimersAsync();
      await Promise.all(all);
      return inserts;
    }

    it('waits as long for company', async () => {
      expect(await written([0])).toEqual(['20 ms: 0']);
      expect(await written([0, 1, 2, 3])).toEqual(['20 ms: 0 1 2 3']);
    });

    it('gathers three times as long while others keep coming', async () => {
      expect(await written([0, 9, 18, 27, 36, 45, 54, 63])).toEqual(['60 ms: 0 9 18 27 36 45 54', '83 ms: 63']);
    });

    it('waits no longer when nobody comes any more', async () => {
      expect(await written([0, 4, 8, 12, 16, 20, 24])).toEqual(['44 ms: 0 4 8 12 16 20 24']);
    });
  });

  it('writes a full group without waiting', async () => {
    const inserts: string[] = [];
    const group = commits(
      async (words) => {
        inserts.push(words);
      },
      { maxRows: 2, lingerMs: 60_000 },
    );
    await Promise.all(['a', 'b', 'c', 'd'].map((word) => group.consume(word)));
    expect(inserts).toEqual(['a b', 'c d']);
  });

  it('does not let what is scattered over time hold up the rest', async () => {
    const inserts: string[] = [];
    let finish: () => void = () => {};
    const group = commits((words) => {
      inserts.push(words);
      return words.includes('scattered')
        ? new Promise((resolve) => {
            finish = resolve;
          })
        : Promise.resolve();
    });
    let settled = false;
    const scattered = group.consume('scattered').then(() => {
      settled = true;
    });
    await expect.poll(() => inserts, { timeout: 10_000 }).toEqual(['scattered']);
    await group.consume('a');
    expect(settled).toBe(false);
    const closed = group.close();
    finish();
    await closed;
    expect(settled).toBe(true);
    await scattered;
  });

  it('tells the store whether others wait for their answers, but of what is scattered', async () => {
    const seen: (boolean | undefined)[] = [];
    let isThereMore: (() => boolean) | undefined;
    const group = commits(
      async (words, more) => {
        seen.push(more?.());
        if (!words.includes('scattered')) isThereMore = more;
      },
      { maxRows: 1 },
    );
    await Promise.all([group.consume('a'), group.consume('b')]);
    await group.consume('scattered');
    expect(seen).toEqual([true, true, undefined]);
    expect(isThereMore?.()).toBe(false);
    const next = group.consume('c');
    expect(isThereMore?.()).toBe(true);
    await next;
  });

  it('refuses only the batches whose rows the engine refuses', async () => {
    const stored: string[] = [];
    const group = commits(async (words) => {
      if (words.includes('bad')) {
        throw new SignalboxError('internal', 'The store failed');
      }
      stored.push(...words.split(' '));
    });
    const words = ['a', 'b', 'bad1', 'c', 'd', 'e', 'bad2'];
    const results = await Promise.allSettled(words.map((word) => group.consume(word)));
    expect(results.map((result) => result.status === 'fulfilled')).toEqual(
      words.map((word) => !word.startsWith('bad')),
    );
    expect(stored.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('does not try halves when nothing can be stored now', async () => {
    let tries = 0;
    const group = commits(async () => {
      tries++;
      throw new SignalboxError('unavailable', 'The disk is full');
    });
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((word) => group.consume(word)));
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(tries).toBe(1);
  });

  it('keeps a batch that breaks the encoder from the others', async () => {
    const inserts: string[] = [];
    const group = commits(async (words) => {
      inserts.push(words);
    });
    const results = await Promise.allSettled(['a', 'unencodable', 'b'].map((word) => group.consume(word)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(inserts).toEqual(['a b']);
  });

  it('goes on after a batch that can not be encoded again for its half', async () => {
    const stored: string[] = [];
    const group = commits(async (words) => {
      if (words.includes('bad')) {
        throw new SignalboxError('internal', 'The store failed');
      }
      stored.push(...words.split(' '));
    });
    const results = await Promise.allSettled(['once', 'a', 'bad', 'b'].map((word) => group.consume(word)));
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    await group.consume('later');
    expect(stored.sort()).toEqual(['a', 'b', 'later']);
  });

  it('asks senders to come again when too much is under way, and recovers', async () => {
    const inserts: (() => void)[] = [];
    const group = commits(
      () =>
        new Promise((resolve) => {
          inserts.push(resolve);
        }),
      { maxPendingBytes: 10 },
    );
    const first = group.consume('12345678');
    await expect(group.consume('9abc')).rejects.toMatchObject({ code: 'resource_exhausted', retryable: true });
    await vi.waitFor(() => expect(inserts).toHaveLength(1));
    inserts[0]?.();
    await first;
    // One that is larger than the limit alone must not be refused forever.
    const second = group.consume('1234567890123');
    await vi.waitFor(() => expect(inserts).toHaveLength(2));
    inserts[1]?.();
    await second;
  });

  it('writes what it has when it closes, and refuses what comes', async () => {
    const inserts: string[] = [];
    const group = commits(
      async (words) => {
        inserts.push(words);
      },
      { lingerMs: 60_000 },
    );
    const consumed = group.consume('a');
    await group.close();
    await consumed;
    expect(inserts).toEqual(['a']);
    await expect(group.consume('b')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });
});
