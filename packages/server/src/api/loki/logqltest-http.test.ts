import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConformanceFile, scriptNames } from '../../query/logql/testing/conformance-file.ts';
import {
  checkEval,
  parseScript,
  type ScriptEntry,
  type ScriptSeries,
  type ScriptTarget,
} from '../../query/logql/testing/logqltest.ts';
import { LokiServer } from './testing/loki-server.ts';

const ALL = scriptNames();
/** The engine runs all of them in memory; here some show that the store and the API give it the same lines. */
const FILES = process.env.SIGNALBOX_TEST_TIER === 'full' ? ALL : ['conversions', 'formatters'];
const hourNs = 3_600_000_000_000n;

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

/** Each scenario has hours of its own: clearing is moving on. */
class HttpTarget implements ScriptTarget {
  readonly #server: LokiServer;
  #base = 400_000n * hourNs;

  constructor(server: LokiServer) {
    this.#server = server;
  }

  clear(): Promise<void> {
    this.#base += hourNs;
    return Promise.resolve();
  }

  async load(entries: readonly ScriptEntry[]): Promise<void> {
    const streams = new Map<string, { stream: object; values: unknown[][] }>();
    for (const { labels, time, line, metadata } of entries) {
      const stream = Object.fromEntries(labels);
      const key = JSON.stringify(stream);
      const known = streams.get(key) ?? { stream, values: [] };
      streams.set(key, known);
      const pairs = metadata.length === 0 ? [] : [Object.fromEntries(metadata)];
      known.values.push([String(this.#base + time), line, ...pairs]);
    }
    await this.#server.push([...streams.values()]);
  }

  instant(query: string, time: bigint): Promise<readonly ScriptSeries[]> {
    return this.#ask('query', { query, time: String(this.#base + time) });
  }

  range(query: string, start: bigint, end: bigint, step: bigint): Promise<readonly ScriptSeries[]> {
    const times = { start: String(this.#base + start), end: String(this.#base + end), step: `${step / 1_000_000n}ms` };
    return this.#ask('query_range', { query, ...times });
  }

  async #ask(path: string, parameters: Record<string, string>): Promise<readonly ScriptSeries[]> {
    type Data = { resultType: 'scalar'; result: [number, string] } | { resultType: 'vector'; result: Series[] };
    const { data } = await this.#server.json<{ data: Data }>(path, parameters);
    const series = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
    return series.map(({ metric, value, values = value ? [value] : [] }) => ({
      labels: new Map(Object.entries(metric)),
      points: values.map(([seconds, text]) => [
        BigInt(Math.round(seconds * 1000)) * 1_000_000n - this.#base,
        Number(text.replace('Inf', 'Infinity')),
      ]),
    }));
  }
}

describe.skipIf(ALL.length === 0)("Loki's own scripts, pushed and asked over HTTP", () => {
  let server: LokiServer;
  beforeAll(async () => {
    server = await LokiServer.open();
  }, 30_000);
  afterAll(async () => await server.close());

  test.each(FILES)('%s', { timeout: 120_000 }, async (name) => {
    const target = new HttpTarget(server);
    const failures: string[] = [];
    let evals = 0;
    // The files share a store: their names set them apart in time.
    for (let i = 0; i <= FILES.indexOf(name) * 50; i++) await target.clear();
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
