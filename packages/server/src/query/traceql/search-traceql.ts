import { fieldsOf, type traceql } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { partitionNanos, type TimeRange } from '../time-range.ts';
import { compilePipeline, isStructural } from './compile-pipeline.ts';
import { findKeyPlaces, type KeyPlaces } from './key-places.ts';
import { type LaterSpans, planLaterSpans, reachNanos } from './later-spans.ts';
import { readTraces, type SpansToRead } from './read-traces.ts';
import { searchWindows } from './search-windows.ts';
import { type ShownField, shownFields } from './shown-fields.ts';
import { SpanFields } from './span-fields.ts';
import { numberSpans } from './span-tree.ts';
import type { Spanset, SpansetStage } from './spanset.ts';
import { candidateCondition, conditionsOf, readCondition, textsAtStart } from './trace-conditions.ts';
import type { TraceSpan, TraceSummary } from './trace-span.ts';

export interface TraceqlSearch {
  readonly pipeline: traceql.Pipeline;
  /** Traces that overlap it are found. */
  readonly range: TimeRange;
  readonly limit: number;
  /** Found are traces with a span that matches and begins in the range, whatever else of them does. */
  readonly isBySpanStart?: boolean;
  /** Called before anything is read, for whoever reads more of the spans than the pipeline. */
  readonly prepare?: (fields: SpanFields) => void;
  /** Takes every trace as it is found, in any order; then the result has none. */
  readonly onTrace?: (trace: FoundTrace) => void;
}

export interface FoundTrace {
  readonly summary: TraceSummary;
  readonly spansets: readonly Spanset[];
}

export interface TraceqlResult {
  /** Newest first by their start. */
  readonly traces: readonly FoundTrace[];
  /** What the query asks to be shown of spans. */
  readonly fields: readonly ShownField[];
  readonly inspectedTraces: number;
  readonly inspectedSpans: number;
}

/** What was found since the part before; the figures are of the whole search so far. */
export interface TraceqlPart extends TraceqlResult {
  /** Of the range, 0 to 1. */
  readonly searchedShare: number;
}

/** Candidates of a window that are looked at before all of its others are listed. */
const firstPage = 100;
const nextPage = 20_000;
/** Traces that are read at once. */
const firstBatch = 10;
const maxBatch = 1_000;

/**
 * The newest traces in which the pipeline finds spans. The engine lists candidates, newest first, by a condition that
 * every trace fulfils which is to be found; their spans are read and the pipeline itself decides. It ends when the traces
 * not yet looked at begin before those that were found.
 */
export async function searchTraceql(context: QueryContext, search: TraceqlSearch): Promise<TraceqlResult> {
  const traces: FoundTrace[] = [];
  let last: TraceqlPart | undefined;
  for await (const part of new TraceqlRun(context, search, false).parts()) {
    traces.push(...part.traces);
    last = part;
  }
  const { fields = [], inspectedTraces = 0, inspectedSpans = 0 } = last ?? {};
  return { traces, fields, inspectedTraces, inspectedSpans };
}

/** The same as it is found: each part's traces are older than those of the parts before. There is one at least. */
export function searchTraceqlInParts(context: QueryContext, search: TraceqlSearch): AsyncGenerator<TraceqlPart> {
  return new TraceqlRun(context, search, true).parts();
}

type Candidate = readonly [traceId: string, firstMatch: string];

/** A search under way. */
class TraceqlRun {
  readonly #context: QueryContext;
  readonly #search: TraceqlSearch;
  /** Whoever asked is shown what is found as soon as it is. */
  readonly #isInParts: boolean;
  readonly #found: FoundTrace[] = [];
  readonly #seen = new Set<string>();
  /** Candidates of the windows before that are still to be looked at, newest first. */
  readonly #waiting: Candidate[] = [];
  readonly #parameters = new SqlParameters();
  readonly #fields: SpanFields;
  readonly #stage: SpansetStage;
  readonly #shown: readonly ShownField[];
  readonly #kindOf: ((span: TraceSpan) => number) | undefined;
  #inspectedSpans = 0;
  /** Where the keys of the pipeline's conditions are; undefined: not known yet. */
  #places: ReadonlyMap<string, KeyPlaces> | undefined;
  /** Candidates are found by the pipeline as well: no more than wanted need to be read. */
  #isCertain = false;

  constructor(context: QueryContext, search: TraceqlSearch, isInParts: boolean) {
    this.#context = context;
    this.#search = search;
    this.#isInParts = isInParts;
    this.#fields = new SpanFields(this.#parameters);
    this.#stage = compilePipeline(search.pipeline, this.#fields);
    this.#shown = shownFields(search.pipeline, this.#fields);
    search.prepare?.(this.#fields);
    const readsTree = isStructural(search.pipeline) || this.#fields.readsTree;
    this.#kindOf = readsTree ? this.#fields.kindReader() : undefined;
  }

  async *parts(): AsyncGenerator<TraceqlPart> {
    let given = 0;
    const part = (bound: bigint, searchedShare: number): TraceqlPart => {
      this.#found.sort(newestFirst);
      const known = this.#found.findIndex(({ summary }) => summary.start < bound);
      const end = Math.min(this.#search.limit, known < 0 ? this.#found.length : known);
      const traces = this.#found.slice(given, end);
      given = end;
      return {
        traces,
        fields: this.#shown,
        inspectedTraces: this.#seen.size,
        inspectedSpans: this.#inspectedSpans,
        searchedShare,
      };
    };
    const [later] = await Promise.all([this.#planLaterSpans(), this.#findPlaces(true)]);
    const found = (): number => this.#found.length + this.#waiting.length;
    for (const { window, isSmall, isLast, share } of searchWindows(
      this.#search,
      later.until,
      this.#context.nowMs,
      found,
    )) {
      for await (const bound of this.#searchWindow(window, later, { isSmall, isLast })) {
        const next = part(bound, share.before);
        if (given >= this.#search.limit) {
          yield { ...next, searchedShare: 1 };
          return;
        }
        if (next.traces.length > 0) yield next;
      }
    }
    yield part(0n, 1);
  }

  async #planLaterSpans(): Promise<LaterSpans> {
    const { range, isBySpanStart } = this.#search;
    return isBySpanStart ? { until: range.to, condition: () => undefined } : planLaterSpans(this.#context, range);
  }

  /** Gives, again and again, a time before which all traces begin that have not been looked at. */
  async *#searchWindow(
    window: TimeRange,
    laterSpans: LaterSpans,
    { isSmall, isLast }: { isSmall: boolean; isLast: boolean },
  ): AsyncGenerator<bigint> {
    const { pipeline, range, limit } = this.#search;
    const tail = window.to > range.to ? laterSpans : undefined;
    await this.#findPlaces(isSmall);
    for (let page = Math.min(nextPage, Math.max(firstPage, limit * 2)); ; page = nextPage) {
      const size = page + this.#seen.size;
      const { statement, isExact } = planCandidates(pipeline, window, this.#places ?? new Map(), size, tail);
      this.#isCertain = isExact;
      const options = { maxResultRows: size, isShort: isSmall };
      const candidates = await select<Candidate>(this.#context, statement, options);
      const isAll = candidates.length < size;
      const known = this.#waiting.splice(0);
      const fresh = candidates.filter(([id]) => !this.#seen.has(id) && !known.some(([other]) => other === id));
      const unseen = [...known, ...fresh];
      // Reading traces costs as much as finding these few; so they are read with those of the next window.
      const areFew = isAll && isExact && isSmall && unseen.length < limit / 2;
      if (areFew && !isLast && !this.#isInParts) {
        this.#waiting.push(...unseen);
        return;
      }
      yield* this.#lookAt(unseen);
      if (isAll) break;
    }
    yield window.from;
  }

  /**
   * Once, for all that is read. In small windows only where it is cheap and saves reading: of a key without a scope, events
   * are looked through; of resources, little is read anyway.
   */
  async #findPlaces(isSmall: boolean): Promise<void> {
    const exprs = conditionsOf(this.#search.pipeline);
    const scopes = exprs.flatMap(fieldsOf).flatMap((field) => (field.kind === 'attribute' ? [field.scope] : []));
    const isWorthIt = !isSmall || (scopes.includes('span') && !scopes.includes('none'));
    if (this.#places !== undefined || !isWorthIt) return;
    const { from, to } = this.#search.range;
    const reach = reachNanos + partitionNanos;
    const range = { from: from > reach ? from - reach : 0n, to: to + reach };
    this.#places = await findKeyPlaces(this.#context, exprs, range);
  }

  async *#lookAt(candidates: readonly Candidate[]): AsyncGenerator<bigint> {
    // Of so many more than asked for, enough mostly begin after those not yet looked at.
    const { limit } = this.#search;
    const wanted = this.#isCertain ? limit + Math.ceil(limit / 4) : limit * 2;
    let size = Math.min(maxBatch, Math.max(firstBatch, wanted));
    for (let at = 0; at < candidates.length; ) {
      const batch = candidates.slice(at, at + size);
      await this.#evaluateBatch(batch);
      at += batch.length;
      size = Math.min(maxBatch, size * 2);
      yield BigInt(batch.at(-1)?.[1] ?? 0);
    }
  }

  /** In halves when the spans are too many to be held at once. */
  async #evaluateBatch(batch: readonly Candidate[]): Promise<void> {
    try {
      await this.#evaluate(batch);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'too_large' || batch.length < 2) throw error;
      const middle = batch.length >> 1;
      await this.#evaluateBatch(batch.slice(0, middle));
      await this.#evaluateBatch(batch.slice(middle));
    }
  }

  async #evaluate(batch: readonly Candidate[]): Promise<void> {
    // Newest first.
    const earliest = BigInt(batch.at(-1)?.[1] ?? 0) - partitionNanos;
    const latest = BigInt(batch[0]?.[1] ?? 0) + partitionNanos;
    const range = { from: earliest < 0n ? 0n : earliest, to: latest };
    const ids = batch.map(([id]) => id);
    const traces = await readTraces(this.#context, ids, this.#spansToRead(range));
    const { from, to } = this.#search.range;
    for (const id of ids) this.#seen.add(id);
    for (const { summary, spans } of traces) {
      if (summary.start > to || summary.end < from || spans.length === 0) continue;
      this.#inspectedSpans += spans.length;
      if (this.#kindOf !== undefined) numberSpans(spans, this.#kindOf);
      const spansets = this.#stage([{ spans, attributes: [] }]).filter((spanset) => this.#isInTime(spanset));
      if (spansets.length === 0) continue;
      const trace = { summary, spansets: spansets.map(inOrder) };
      if (this.#search.onTrace === undefined) this.#found.push(trace);
      else this.#search.onTrace(trace);
    }
  }

  #isInTime({ spans }: Spanset): boolean {
    const { from, to } = this.#search.range;
    return !this.#search.isBySpanStart || spans.some(({ start }) => start >= from && start < to);
  }

  #spansToRead(range: TimeRange): SpansToRead {
    const base = new SqlParameters(this.#parameters);
    const places = this.#places ?? new Map<string, KeyPlaces>();
    const common = { fields: this.#fields, base, range, places };
    if (this.#kindOf !== undefined) return { ...common, condition: undefined, texts: new Map() };
    const { sql } = readCondition(this.#search.pipeline, { parameters: base, range, places });
    return { ...common, condition: sql, texts: textsAtStart(this.#search.pipeline) };
  }
}

/**
 * Rows are `Candidate`s: trace ids, newest first by the time of their first matching span, and that time. `isExact`: but for
 * filters behind a `select`, each of them is found.
 */
export function planCandidates(
  pipeline: traceql.Pipeline,
  window: TimeRange,
  places: ReadonlyMap<string, KeyPlaces>,
  limit: number,
  later?: LaterSpans,
): { statement: Statement; isExact: boolean } {
  const parameters = new SqlParameters();
  const { sql, isExact } = candidateCondition(pipeline, { parameters, range: window, places });
  const ofRange = later?.condition(parameters);
  const statement = parameters.statement(
    `SELECT lower(hex(trace_id)) AS id, toUnixTimestamp64Nano(min(time)) AS first_match
FROM spans
WHERE ${isInTime(window, parameters)}
  AND ${sql}${ofRange === undefined ? '' : `\n  AND ${ofRange}`}
GROUP BY trace_id
ORDER BY first_match DESC, id
LIMIT ${parameters.uint32(limit)}`,
  );
  return {
    statement,
    isExact: isExact && pipeline.stages.every(({ kind }) => kind === 'spansetFilter' || kind === 'select'),
  };
}

function newestFirst(a: FoundTrace, b: FoundTrace): number {
  if (a.summary.start !== b.summary.start) return a.summary.start > b.summary.start ? -1 : 1;
  return a.summary.traceId < b.summary.traceId ? -1 : 1;
}

/** Operators put spans of the left side before those of the right side. */
function inOrder(spanset: Spanset): Spanset {
  const spans = [...spanset.spans].sort((a, b) => {
    if (a.start !== b.start) return a.start < b.start ? -1 : 1;
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  });
  return { ...spanset, spans };
}
