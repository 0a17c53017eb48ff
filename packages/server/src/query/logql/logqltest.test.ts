import { describe, expect, test } from 'vitest';
import { LogqlEngine, type LogqlResult } from './engine.ts';
import { MemoryLogs } from './memory-logs.ts';
import { StreamLabels } from './stream-labels.ts';
import { readConformanceFile, scriptNames } from './testing/conformance-file.ts';
import { checkEval, parseScript, type ScriptEntry, type ScriptSeries, type ScriptTarget } from './testing/logqltest.ts';

const FILES = scriptNames();

class MemoryTarget implements ScriptTarget {
  #logs = new MemoryLogs();

  clear(): Promise<void> {
    this.#logs = new MemoryLogs();
    return Promise.resolve();
  }

  load(entries: readonly ScriptEntry[]): Promise<void> {
    this.#logs.add(...entries.map(({ labels, ...rest }) => ({ stream: new StreamLabels(labels), ...rest })));
    return Promise.resolve();
  }

  async instant(query: string, time: bigint): Promise<readonly ScriptSeries[]> {
    return seriesOf((await this.#engine().queryInstant(query, time)).result);
  }

  async range(query: string, startNs: bigint, endNs: bigint, stepNs: bigint): Promise<readonly ScriptSeries[]> {
    const range = { startNs, endNs, stepNs, limit: 1000, direction: 'backward' as const };
    return seriesOf((await this.#engine().queryRange(query, range)).result);
  }

  #engine(): LogqlEngine {
    return new LogqlEngine(this.#logs, { maxSamples: 1_000_000, maxSeries: 500, maxSteps: 11_000 });
  }
}

function seriesOf(result: LogqlResult): ScriptSeries[] {
  if (result.type === 'scalar') return [{ labels: new Map(), points: [[result.time, result.value]] }];
  if (result.type !== 'vector' && result.type !== 'matrix') throw new Error(`the result is ${result.type}`);
  return result.series.map(({ labels, points }) => ({ labels: new Map(labels.entries()), points }));
}

describe.skipIf(FILES.length === 0)("Loki's own scripts", () => {
  test.each(FILES)('%s', async (name) => {
    const target = new MemoryTarget();
    const failures: string[] = [];
    let evals = 0;
    for (const scenario of parseScript(readConformanceFile(`logqltest/testdata__${name}.logqltest`) ?? '')) {
      if (scenario.clears) await target.clear();
      await target.load(scenario.entries);
      for (const one of scenario.evals) {
        evals++;
        await checkEval(target, one).catch((error: unknown) => {
          failures.push(`line ${one.line}: ${one.query}\n${error instanceof Error ? error.message : String(error)}`);
        });
      }
    }
    expect(failures).toEqual([]);
    expect(evals).toBeGreaterThan(10);
  });
});
