import type { Static, traceql } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { nanosPerMilli, nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { compilePipeline, isStructural } from './compile-pipeline.ts';
import { findKeyPlaces, type KeyPlaces } from './key-places.ts';
import { readSpans, readSummaries, type SpansToRead } from './read-traces.ts';
import { type ShownField, shownFields } from './shown-fields.ts';
import { SpanFields } from './span-fields.ts';
import { numberSpans } from './span-tree.ts';
import type { Spanset, SpansetStage } from './spanset.ts';
import { candidateCondition, conditionsOf, readCondition } from './trace-conditions.ts';
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

/** How far before and behind the range the spans of a trace may lie that overlaps it. */
const reachNanos = 3_600n * nanosPerSecond;

/** Lengths of the range's end that are searched before the whole range. The table is sorted by five minutes first. */
const windowNanos = [300n, 2_100n, 12_600n, 86_400n].map((seconds) => seconds * nanosPerSecond);
/** Windows so small that finding out where keys are costs more than it saves. */
const smallWindows = 2;

/** Candidates of a window that are looked at before all of its others are listed. */
const firstPage = 100;
const nextPage = 20_000;
/** Traces that are read at once. */
const firstBatch = 20;
const maxBatch = 1_000;

/**
 * The newest traces in which the pipeline finds spans. The engine lists candidates, newest first, by a condition that
 * every trace fulfils which is to be found; their spans are read and the pipeline itself decides. It ends when the traces
 * not yet looked at begin before those that were found.
 */
export async function searchTraceql(context: QueryContext, search: TraceqlSearch): Promise<TraceqlResult> {
  return await new TraceqlRun(context, search).finish();
}

/** From the newest to the oldest, none overlapping another. */
function windowsOf({ range: { from, to }, isBySpanStart }: TraceqlSearch, nowMs: number): TimeRange[] {
  const reach = isBySpanStart ? 0n : reachNanos;
  const now = BigInt(nowMs) * nanosPerMilli;
  const end = now > from && now < to ? now : to;
  const first = from > reach ? from - reach : 0n;
  const windows: TimeRange[] = [];
  let upper = to + reach;
  for (const length of windowNanos) {
    const lower = end - length;
    if (lower <= first) break;
    windows.push({ from: lower, to: upper });
    upper = lower;
  }
  return [...windows, { from: first, to: upper }];
}

type Candidate = readonly [traceId: string, firstMatch: string];

/** A search under way. */
export class TraceqlRun {
  readonly #context: QueryContext;
  readonly #search: TraceqlSearch;
  readonly #found: FoundTrace[] = [];
  readonly #seen = new Set<string>();
  readonly #resources = new Map<string, ReadonlyMap<string, Static>>();
  readonly #parameters = new SqlParameters();
  readonly #fields: SpanFields;
  readonly #stage: SpansetStage;
  readonly #shown: readonly ShownField[];
  readonly #kindOf: ((span: TraceSpan) => number) | undefined;
  #inspectedSpans = 0;

  constructor(context: QueryContext, search: TraceqlSearch) {
    this.#context = context;
    this.#search = search;
    this.#fields = new SpanFields(this.#parameters);
    this.#stage = compilePipeline(search.pipeline, this.#fields);
    this.#shown = shownFields(search.pipeline, this.#fields);
    search.prepare?.(this.#fields);
    const readsTree = isStructural(search.pipeline) || this.#fields.readsTree;
    this.#kindOf = readsTree ? this.#fields.kindReader() : undefined;
  }

  async finish(): Promise<TraceqlResult> {
    for (const [index, window] of windowsOf(this.#search, this.#context.nowMs).entries()) {
      if (await this.#searchWindow(window, index < smallWindows)) break;
    }
    return {
      traces: this.#newest(),
      fields: this.#shown,
      inspectedTraces: this.#seen.size,
      inspectedSpans: this.#inspectedSpans,
    };
  }

  #newest(): FoundTrace[] {
    return this.#found.sort(newestFirst).slice(0, this.#search.limit);
  }

  /** Resolves to true when no older trace can be among the newest. */
  async #searchWindow(window: TimeRange, isSmall: boolean): Promise<boolean> {
    const { pipeline } = this.#search;
    const places = isSmall
      ? new Map<string, KeyPlaces>()
      : await findKeyPlaces(this.#context, conditionsOf(pipeline), window);
    for (let page = Math.min(nextPage, Math.max(firstPage, this.#search.limit * 2)); ; page = nextPage) {
      const size = page + this.#seen.size;
      const statement = planCandidates(pipeline, window, places, size);
      const candidates = await select<Candidate>(this.#context, statement, size);
      if (await this.#lookAt(candidates.filter(([id]) => !this.#seen.has(id)))) return true;
      if (candidates.length < size) return false;
    }
  }

  async #lookAt(candidates: readonly Candidate[]): Promise<boolean> {
    // Of so many more than asked for, enough mostly begin after those not yet looked at.
    let size = Math.min(maxBatch, Math.max(firstBatch, this.#search.limit * 2));
    for (let at = 0; at < candidates.length; ) {
      const batch = candidates.slice(at, at + size);
      await this.#evaluateBatch(batch);
      at += batch.length;
      size = Math.min(maxBatch, size * 2);
      const oldest = BigInt(batch.at(-1)?.[1] ?? 0);
      const newer = this.#found.filter(({ summary }) => summary.start >= oldest).length;
      if (newer >= this.#search.limit) return true;
    }
    return false;
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
    const all = await readSummaries(
      this.#context,
      batch.map(([id]) => id),
      range,
    );
    const { from, to } = this.#search.range;
    const summaries = all.filter(({ start, end }) => start <= to && end >= from);
    const spansOf = await readSpans(this.#context, summaries, this.#spansToRead(range), this.#resources);
    for (const [id] of batch) this.#seen.add(id);
    for (const summary of summaries) {
      const spans = spansOf.get(summary.traceId) ?? [];
      this.#inspectedSpans += spans.length;
      if (spans.length === 0) continue;
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
    if (this.#kindOf !== undefined) return { fields: this.#fields, base, condition: undefined, range };
    const { sql } = readCondition(this.#search.pipeline, { parameters: base, range, places: new Map() });
    return { fields: this.#fields, base, condition: sql, range };
  }
}

/** Rows are `Candidate`s: trace ids, newest first by the time of their first matching span, and that time. */
export function planCandidates(
  pipeline: traceql.Pipeline,
  window: TimeRange,
  places: ReadonlyMap<string, KeyPlaces>,
  limit: number,
): Statement {
  const parameters = new SqlParameters();
  const { sql } = candidateCondition(pipeline, { parameters, range: window, places });
  return parameters.statement(
    `SELECT lower(hex(trace_id)) AS id, toUnixTimestamp64Nano(min(time)) AS first_match
FROM spans
WHERE time >= ${parameters.nanoTime(window.from)} AND time < ${parameters.nanoTime(window.to)}
  AND ${sql}
GROUP BY trace_id
ORDER BY first_match DESC, id
LIMIT ${parameters.uint32(limit)}`,
  );
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
