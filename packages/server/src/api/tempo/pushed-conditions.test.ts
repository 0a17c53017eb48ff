import { parseTraceql, type traceql } from '@signalbox/query-language';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryContext } from '../../query/query-context.ts';
import { SqlParameters } from '../../query/sql-parameters.ts';
import { compilePipeline } from '../../query/traceql/compile-pipeline.ts';
import { readTraces } from '../../query/traceql/read-traces.ts';
import { searchTraceql } from '../../query/traceql/search-traceql.ts';
import { SpanFields } from '../../query/traceql/span-fields.ts';
import { numberSpans } from '../../query/traceql/span-tree.ts';
import type { Spanset } from '../../query/traceql/spanset.ts';
import { TraceStore } from '../testing/trace-store.ts';

const start = 1_790_000_000_000_000_000n;
const minute = 60_000_000_000n;
/** Far enough that the first windows of a search don't see all of them. */
const traceSpacing = 20n * minute;
const traceCount = 24;
const range = { from: start - minute, to: start + traceSpacing * BigInt(traceCount) };

const value = fc.oneof(
  fc.constantFrom({ stringValue: 'u' }, { stringValue: 'v' }, { stringValue: '' }, { boolValue: true }),
  fc.constantFrom({ stringValue: '10.1.2.3' }, { stringValue: '::ffff:10.9.9.9' }, { stringValue: '192.0.2.1' }),
  fc.integer({ min: 0, max: 2 }).map((number) => ({ intValue: `${number}` })),
  fc.constantFrom(0.5, 1, 2.5).map((number) => ({ doubleValue: number })),
  fc.constant({ arrayValue: { values: [{ stringValue: 'u' }, { stringValue: 'w' }] } }),
);
const attributes = fc.uniqueArray(fc.record({ key: fc.constantFrom('k1', 'k2'), value }), {
  maxLength: 2,
  selector: ({ key }) => key,
});
const service = fc.option(fc.constantFrom('shop', 'stock'), { nil: undefined });

const span = fc.record({
  parent: fc.nat(10),
  name: fc.constantFrom('read', 'write'),
  kind: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom(0, 0, 1, 2),
  duration: fc.integer({ min: 0, max: 4 }),
  attributes,
  event: fc.option(attributes, { nil: undefined }),
  link: fc.option(attributes, { nil: undefined }),
  service,
  resource: attributes,
  scope: attributes,
});

type RandomSpan = typeof span extends fc.Arbitrary<infer Value> ? Value : never;

function resourceSpans(trace: number, index: number, one: RandomSpan): object {
  const traceId = `${trace + 1}`.padStart(32, '0');
  const time = start + traceSpacing * BigInt(trace) + BigInt(index) * 1_000_000n;
  const named = one.service === undefined ? [] : [{ key: 'service.name', value: { stringValue: one.service } }];
  const id = (at: number): string => `${at + 1}`.padStart(16, 'a');
  return {
    resource: { attributes: [...named, ...one.resource] },
    scopeSpans: [
      {
        scope: { name: 's', attributes: one.scope },
        spans: [
          {
            traceId,
            spanId: id(index),
            // Some parents are not there; the first span is a root.
            parentSpanId: index === 0 ? '' : id(one.parent % (index + 1) === index ? 99 : one.parent % index),
            name: one.name,
            kind: one.kind,
            startTimeUnixNano: `${time}`,
            endTimeUnixNano: `${time + BigInt(one.duration) * 500_000n}`,
            attributes: one.attributes,
            status: { code: one.status },
            events: one.event === undefined ? [] : [{ timeUnixNano: `${time}`, name: 'e', attributes: one.event }],
            links:
              one.link === undefined ? [] : [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), attributes: one.link }],
          },
        ],
      },
    ],
  };
}

const scopes = ['span', 'resource', 'event', 'link', 'instrumentation', ''];
const literals = ['"u"', '"v"', '""', '0', '1', '1.0', '2.5', 'true', 'false'];
const condition: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(
        fc.constantFrom(...scopes),
        fc.constantFrom('k1', 'k2', 'k3'),
        fc.constantFrom('=', '!='),
        fc.constantFrom(...literals),
      )
      .map(([scope, key, operator, literal]) => `${scope}.${key} ${operator} ${literal}`),
    fc
      .tuple(
        fc.constantFrom(...scopes),
        fc.constantFrom('k1', 'k2'),
        fc.constantFrom('<', '>='),
        fc.constantFrom('1', '1.5'),
      )
      .map(([scope, key, operator, literal]) => `${scope}.${key} ${operator} ${literal}`),
    fc
      .tuple(fc.constantFrom(...scopes), fc.constantFrom('=~ "u|w"', '!~ "u"', '!= nil', '= nil'))
      .map(([scope, test]) => `${scope}.k1 ${test}`),
    fc.constantFrom(...scopes).map((scope) => `cidr(${scope}.k1, "10.0.0.0/8")`),
    fc.constantFrom(
      'cidr(name, "10.0.0.0/8")',
      'name = "read"',
      'name =~ "w.*"',
      'duration > 1ms',
      'status = error',
      'status != ok',
      'kind = server',
      'resource.service.name = "shop"',
      'resource.service.name != "shop"',
      'trace:rootName = "read"',
      'traceDuration > 1ms',
      'span:childCount > 0',
    ),
    fc
      .tuple(tie('any'), fc.constantFrom('&&', '||'), tie('any'))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    tie('any').map((inner) => `!(${inner})`),
  ),
})).any;
const filter = condition.map((text) => `{ ${text} }`);
const query = fc.oneof(
  filter,
  fc
    .tuple(filter, fc.constantFrom('&&', '||', '>>', '>', '<<', '~', '!>>', '&>>'), filter)
    .map(([left, operator, right]) => `${left} ${operator} ${right}`),
  fc.tuple(filter, filter).map(([first, second]) => `${first} | ${second}`),
  fc
    .tuple(filter, fc.constantFrom('count() > 1', 'max(duration) > 1ms', 'by(name) | count() > 1'))
    .map((parts) => parts.join(' | ')),
);

/** What is found, as text, so that a difference is easy to read. */
function shown(spansets: readonly Spanset[]): string {
  return spansets
    .map(({ spans }) =>
      spans
        .map(({ id }) => id.slice(-2))
        .sort()
        .join(','),
    )
    .sort()
    .join(' ');
}

/** The conditions that a search gives to the engine must never lose what the pipeline itself finds. */
describe('A search over random spans', () => {
  let store: TraceStore;
  const context = (): QueryContext => ({
    connection: store.store.connection,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 60_000,
    nowMs: Number(range.to / 1_000_000n),
  });

  beforeAll(async () => {
    store = await TraceStore.open(() => async () => false);
    const traces = fc.sample(fc.array(span, { minLength: 1, maxLength: 6 }), { numRuns: traceCount, seed: 8 });
    await store.insert({
      resourceSpans: traces.flatMap((spans, trace) => spans.map((one, index) => resourceSpans(trace, index, one))),
    });
  }, 60_000);
  afterAll(() => store?.close());

  /** Every span of every trace is read, and the pipeline alone decides. */
  async function evaluated(pipeline: traceql.Pipeline): Promise<Record<string, string>> {
    const parameters = new SqlParameters();
    const fields = new SpanFields(parameters);
    const stage = compilePipeline(pipeline, fields);
    const kindOf = fields.kindReader();
    const ids = Array.from({ length: traceCount }, (_, trace) => `${trace + 1}`.padStart(32, '0'));
    const traces = await readTraces(context(), ids, {
      fields,
      base: parameters,
      condition: undefined,
      range,
      texts: new Map(),
      places: new Map(),
    });
    return Object.fromEntries(
      traces.flatMap(({ summary, spans }) => {
        numberSpans(spans, kindOf);
        const spansets = stage([{ spans, attributes: [] }]);
        return spansets.length === 0 ? [] : [[summary.traceId, shown(spansets)]];
      }),
    );
  }

  const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

  test('finds what the pipeline finds in all of them', async () => {
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const { expr } = parseTraceql(text);
        if (expr.kind !== 'pipeline') throw new Error(`${text} finds no spans`);
        const { traces } = await searchTraceql(context(), { pipeline: expr, range, limit: 100 });
        const found = Object.fromEntries(traces.map(({ summary, spansets }) => [summary.traceId, shown(spansets)]));
        expect(found).toEqual(await evaluated(expr));
      }),
      isFull ? { numRuns: 600 } : { numRuns: 12, seed: 8 },
    );
  }, 600_000);

  test('gives the newest of them in parts as it gives them at once', async () => {
    const { expr } = parseTraceql('{ name = "read" }');
    const pipeline = expr as traceql.Pipeline;
    const all = await searchTraceql(context(), { pipeline, range, limit: 100 });
    const few = await searchTraceql(context(), { pipeline, range, limit: 5 });
    expect(few.traces.map(({ summary }) => summary.traceId)).toEqual(
      all.traces.slice(0, 5).map(({ summary }) => summary.traceId),
    );
    const starts = all.traces.map(({ summary }) => summary.start);
    expect(starts).toEqual([...starts].sort((a, b) => (a > b ? -1 : 1)));
    expect(starts.length).toBeGreaterThan(10);
  }, 120_000);
});
