import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { SearchResponse } from './search-response.ts';
import { createTempoApi } from './tempo-api.ts';

interface SearchCase {
  query: string;
  group: string;
  match: boolean;
  start?: number;
  end?: number;
  minDuration_ms?: number;
  maxDuration_ms?: number;
  legacy_tags?: Record<string, string>;
  expected_attribute?: string;
  expected_spansets?: {
    matched: number;
    spans: { spanID: string; startTimeUnixNano: string; durationNanos: string; name: string; attributes: object }[];
  }[];
}

interface Cases {
  fixture_otlp: Otlp;
  expected_trace: object;
  cases: SearchCase[];
  nil_consistency: { condition: string; contains_root_span: boolean }[];
  tag_values: { name: string; tag: string; query: string; expected: object[] }[];
  tag_names: { name: string; query: string; expected: Record<string, string[]> }[];
}

interface BlockCases {
  fixture_otlp: Otlp;
  trace_id: string;
  cases: { name: string; match: boolean; query: string; start_ns?: number | null; end_ns?: number | null }[];
}

interface Otlp {
  resourceSpans: { scopeSpans: { spans: { spanId: string; parentSpanId: string; traceId: string }[] }[] }[];
}

/** The fixtures are of 1970, whose times the store does not believe: they, and what is asked, move by some years. */
const shiftSeconds = 100_000_000;

function shifted<Value>(json: Value): Value {
  const text = JSON.stringify(json).replace(/("\w*TimeUnixNano":|"timeUnixNano":)"(\d+)"/g, (_, key, time) => {
    return `${key}"${BigInt(time) + BigInt(shiftSeconds) * 1_000_000_000n}"`;
  });
  return JSON.parse(text);
}

const search = shifted(readConformanceJson('traceql/search_cases.json') ?? null) as Cases | null;
const block = shifted(readConformanceJson('traceql/block_search_cases.json') ?? null) as BlockCases | null;
const fixtureId = '1234567890abcdef1234567890abcd01';

/** Its all-zero ids are invalid in OTLP; another id and a parent that is not there keep the span disconnected. */
const brokenId = '00000000000a0b0c';

function decoy(index: number, service: string): object {
  return {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        spans: [
          {
            traceId: `${index}`.padStart(32, 'd'),
            spanId: `${index}`.padStart(16, 'd'),
            name: 'decoy',
            startTimeUnixNano: `${shiftSeconds + 1_000}000000000`,
            endTimeUnixNano: `${shiftSeconds + 1_000}001000000`,
          },
        ],
      },
    ],
  };
}

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

/** Each case is a whole search of its own: all of them take a minute, some of every kind a few seconds. */
function some<Case>(cases: readonly Case[]): Case[] {
  return cases.filter((_, index) => process.env.SIGNALBOX_TEST_TIER === 'full' || index % 5 === 0);
}

function open(): Promise<TraceStore> {
  return TraceStore.open(({ connection }) =>
    createTempoApi({
      connection,
      registry: new QueryRegistry(),
      maxExecutionMs: 20_000,
      allowedHosts: [],
      version: 'test',
      onError: (error) => bugs.push(error),
    }),
  );
}

describe.skipIf(search === null)("Tempo's own cases of searching", () => {
  let store: TraceStore;

  async function find(parameters: Record<string, string>): Promise<SearchResponse['traces']> {
    const range = { start: `${shiftSeconds + 900}`, end: `${shiftSeconds + 2_000}` };
    const query = new URLSearchParams({ limit: '100', ...range, ...parameters });
    return ((await store.json(`/api/search?${query}`)) as SearchResponse).traces;
  }

  async function findFixture(
    parameters: Record<string, string>,
  ): Promise<SearchResponse['traces'][number] | undefined> {
    return (await find(parameters)).find(({ traceID }) => traceID === fixtureId);
  }

  beforeAll(async () => {
    store = await open();
    const fixture = structuredClone(search?.fixture_otlp) as Otlp;
    const spans = fixture.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: own }) => own));
    for (const span of spans) {
      if (!/^0+$/.test(span.spanId)) continue;
      span.spanId = brokenId;
      span.parentSpanId = '00000000000d0e0f';
    }
    await store.insert(fixture);
    await store.insert({ resourceSpans: Array.from({ length: 5 }, (_, index) => decoy(index, 'test-service')) });
  });
  afterAll(() => store.close());

  test('there are cases', () => {
    expect(search?.cases.length).toBeGreaterThan(80);
  });

  test.each(some(search?.cases ?? []))('$group: $query', async ({ query, match, start, end, ...rest }) => {
    const range = start === undefined ? {} : { start: `${start + shiftSeconds}`, end: `${Number(end) + shiftSeconds}` };
    const trace = await findFixture({ q: query, ...range });
    expect(trace !== undefined).toBe(match);
    if (trace === undefined) return;
    expect(trace).toMatchObject(search?.expected_trace ?? {});
    expect(trace.spanSet).toEqual(trace.spanSets[0]);
    if (rest.expected_attribute !== undefined) {
      const keys = trace.spanSets.flatMap(({ spans }) => spans.flatMap(({ attributes = [] }) => attributes));
      expect(keys.map(({ key }) => key)).toContain(rest.expected_attribute);
    }
    if (rest.expected_spansets === undefined) return;
    const expected = rest.expected_spansets.map(({ matched, spans }) => ({
      matched,
      spans: spans.map((span) => ({ ...span, spanID: /^0+$/.test(span.spanID) ? brokenId : span.spanID })),
    }));
    const shown = trace.spanSets.map(({ matched, spans }) => ({
      matched,
      spans: spans.map(({ attributes = [], name = '', ...span }) => ({
        ...span,
        name,
        attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)])),
      })),
    }));
    expect(shown).toEqual(expected);
  });

  test.each(some((search?.cases ?? []).filter(({ legacy_tags: tags }) => tags !== undefined)))(
    'by tags: $legacy_tags',
    async ({ legacy_tags: tags = {}, match }) => {
      const text = Object.entries(tags).map(([key, value]) => `${key}="${value}"`);
      expect((await findFixture({ tags: text.join(' ') })) !== undefined).toBe(match);
    },
  );

  test.each((search?.cases ?? []).filter(({ maxDuration_ms: most }) => most !== undefined))(
    'by duration: $minDuration_ms to $maxDuration_ms ms',
    async ({ minDuration_ms: least = 0, maxDuration_ms: most, match }) => {
      const found = await findFixture({ minDuration: `${least}ms`, maxDuration: `${most}ms` });
      expect(found !== undefined).toBe(match);
    },
  );

  test.each(some(search?.nil_consistency ?? []))('$condition', async ({ condition, contains_root_span: contains }) => {
    const trace = await findFixture({ q: `{ ${condition} }`, spss: '100' });
    const ids = trace?.spanSets.flatMap(({ spans }) => spans.map(({ spanID }) => spanID)) ?? [];
    expect(ids.includes('0000000000040506')).toBe(contains);
  });

  test.each(some(search?.tag_values ?? []))('values of $tag: $name', async ({ tag, query, expected }) => {
    const parameters = new URLSearchParams({
      q: query,
      start: `${shiftSeconds + 900}`,
      end: `${shiftSeconds + 2_000}`,
    });
    const path = `/api/v2/search/tag/${encodeURIComponent(tag)}/values?${parameters}`;
    const { tagValues } = (await store.json(path)) as { tagValues: object[] };
    const sorted = (values: object[]): string[] =>
      values.map((value) => JSON.stringify(value, ['type', 'value'])).sort();
    expect(sorted(tagValues)).toEqual(sorted(expected));
  });

  // "no matches" is about Tempo's dedicated columns.
  test.each((search?.tag_names ?? []).filter(({ name }) => name !== 'no matches'))(
    'names of tags: $name',
    async ({ query, expected }) => {
      const parameters = new URLSearchParams({
        q: query,
        start: `${shiftSeconds + 900}`,
        end: `${shiftSeconds + 2_000}`,
      });
      const { scopes } = (await store.json(`/api/v2/search/tags?${parameters}`)) as {
        scopes: { name: string; tags: string[] }[];
      };
      for (const [scope, tags] of Object.entries(expected)) {
        expect(scopes.find(({ name }) => name === scope)?.tags.sort()).toEqual([...tags].sort());
      }
    },
  );
});

/** Impossible in OTLP (the same key twice), about times that contradict the spans', or about the whole of a dropped text. */
const notOfStorage = new Set(["service.name doesn't match type", 'Range at resource scope']);

describe.skipIf(block === null)("Tempo's own cases of its storage", () => {
  let store: TraceStore;
  const blob = 'B'.repeat(500);

  beforeAll(async () => {
    store = await open();
    const text = JSON.stringify(block?.fixture_otlp).replaceAll(/\$\{BLOB\}/g, blob);
    await store.insert(JSON.parse(text));
    await store.insert({ resourceSpans: [decoy(1, 'test-service')] });
  });
  afterAll(() => store.close());

  const cases = (block?.cases ?? []).filter(({ name, match, start_ns: start }) => {
    return !notOfStorage.has(name) && !(match && typeof start === 'number');
  });

  test.each(some(cases))('$name: $query', async ({ query, match, start_ns: start, end_ns: end }) => {
    const parameters = new URLSearchParams({ q: query.replaceAll(/\$\{BLOB_LEN\}/g, `${blob.length}`), limit: '100' });
    if (typeof start === 'number' && typeof end === 'number') {
      parameters.set('start', `${shiftSeconds + start / 1e9}`);
      parameters.set('end', `${shiftSeconds + end / 1e9}`);
    }
    const { traces } = (await store.json(`/api/search?${parameters}`)) as SearchResponse;
    expect(traces.some(({ traceID }) => traceID === block?.trace_id)).toBe(match);
  });
});

function plain(value: object): unknown {
  const [type = '', of] = Object.entries(value)[0] ?? [];
  return type === 'intValue' ? Number(of) : of;
}
