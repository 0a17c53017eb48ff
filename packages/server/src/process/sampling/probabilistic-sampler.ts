import {
  AttributeEditor,
  AttributeKey,
  keptRows,
  type LogBatch,
  type SpanBatch,
  selectLogs,
  selectSpans,
  textOf,
} from '@signalbox/records';
import { hashRandomness, hashThreshold } from './hash-randomness.ts';
import { OtTraceState } from './ot-trace-state.ts';
import { logPriorityThreshold, type Priority, spanPriority } from './sampling-priority.ts';
import {
  ALWAYS_SAMPLE,
  type Bits56,
  isSampled,
  NEVER_SAMPLE,
  parseBits56,
  printRandomness,
  printThreshold,
  probabilityOf,
  thresholdOf,
  traceRandomness,
} from './threshold.ts';

export const SAMPLER_MODES = ['hash_seed', 'equalizing', 'proportional'] as const;
export type SamplerMode = (typeof SAMPLER_MODES)[number];

export interface ProbabilisticSamplerSettings {
  readonly mode: SamplerMode;
  /** 0 to 100; more is 100. */
  readonly percentage: number;
  readonly hashSeed: number;
  /** Whether items whose sampling cannot be told are dropped. */
  readonly failClosed: boolean;
  /** Hexadecimal digits of thresholds, 1 to 14. */
  readonly precision: number;
}

export interface LogSamplerSettings extends ProbabilisticSamplerSettings {
  /** `record`: randomness comes of an attribute even where there is a trace id. */
  readonly attributeSource: 'traceID' | 'record';
  /** The attribute that is hashed where there is no trace id; null: none. */
  readonly fromAttribute: string | null;
  /** The attribute with a percentage of the record's own; null: none. */
  readonly samplingPriority: string | null;
}

/** What is known of an item before the decision. Null randomness: its sampling cannot be told. */
interface Item {
  readonly randomness: Bits56 | null;
  /** The threshold that earlier samplers left. */
  readonly arriving: Bits56 | null;
}

/** Keeps a share of the spans, the same of each trace, and writes what share it was into their tracestate. */
export function sampleSpans(settings: ProbabilisticSamplerSettings) {
  const thresholds = new Thresholds(settings);
  return (batch: SpanBatch): SpanBatch => {
    const keep = new Uint8Array(batch.rowCount);
    const states: string[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      const state = spanState(batch, row, settings, thresholds);
      if (state !== null) {
        keep[row] = 1;
        states.push(state);
      }
    }
    const kept = states.length === batch.rowCount ? batch : selectSpans(batch, keptRows(keep));
    writeTraceStates(kept, states);
    return kept;
  };
}

/** The tracestate that a span that is kept shall have; null: it is dropped. */
function spanState(
  batch: SpanBatch,
  row: number,
  settings: ProbabilisticSamplerSettings,
  thresholds: Thresholds,
): string | null {
  const priority = spanPriority(batch, row);
  if (priority === 'drop') {
    return null;
  }
  const { start, end } = batch.traceState;
  // Most spans have none.
  const text = start[row] === end[row] ? '' : textOf(batch.bytes, batch.traceState, row);
  const state = text === '' ? null : new OtTraceState(text);
  const item = spanItem(batch, row, state, settings);
  const decision = thresholds.decide(item, priority);
  if (decision === null) {
    return null;
  }
  if (decision.written === null || (state === null && item.randomness === null)) {
    return text;
  }
  if (state === null && settings.mode !== 'hash_seed') {
    return thresholds.traceState(decision.written);
  }
  const written = state ?? new OtTraceState('');
  written.threshold = decision.written;
  if (settings.mode === 'hash_seed') {
    written.randomness = item.randomness;
  }
  return written.print();
}

function spanItem(
  { traceId }: SpanBatch,
  row: number,
  state: OtTraceState | null,
  { mode, hashSeed }: ProbabilisticSamplerSettings,
): Item {
  const arriving = state?.threshold ?? null;
  const isEmpty = isZero(traceId, row);
  if (mode === 'hash_seed') {
    // Randomness of another kind was used before: both cannot hold at once.
    const inUse = arriving !== null || (state?.randomness ?? null) !== null;
    const randomness = inUse || isEmpty ? null : hashRandomness(traceId.subarray(row * 16, row * 16 + 16), hashSeed);
    return { randomness, arriving: null };
  }
  return { randomness: state?.randomness ?? (isEmpty ? null : traceRandomness(traceId, row)), arriving };
}

/** The same text in row after row stands in the batch's bytes once. */
function writeTraceStates(batch: SpanBatch, states: readonly string[]): void {
  let last = '';
  let start = 0;
  let end = 0;
  for (const [row, state] of states.entries()) {
    if (state !== last) {
      start = batch.appendText(state);
      end = batch.byteCount;
      last = state;
    }
    batch.traceState.set(row, state === '' ? 0 : start, state === '' ? 0 : end);
  }
}

const THRESHOLD_KEY = new AttributeKey('sampling.threshold');
const RANDOMNESS_KEY = new AttributeKey('sampling.randomness');

/** Keeps a share of the log records, and writes what share it was into their attributes. */
export function sampleLogs(settings: LogSamplerSettings) {
  const thresholds = new Thresholds(settings);
  const from = settings.fromAttribute === null ? null : new AttributeKey(settings.fromAttribute);
  const priority = settings.samplingPriority === null ? null : new AttributeKey(settings.samplingPriority);
  return (batch: LogBatch): LogBatch => {
    const editor = new AttributeEditor(batch, batch.attributes, batch.rowCount);
    const keep = new Uint8Array(batch.rowCount);
    for (let row = 0; row < batch.rowCount; row++) {
      const item = logItem(batch, editor, row, from, settings);
      const own = priority === null ? null : logPriorityThreshold(editor, row, priority, settings.precision);
      const decision = thresholds.decide(item, own);
      if (decision === null) {
        continue;
      }
      keep[row] = 1;
      if (decision.written !== null && item.randomness !== null) {
        editor.set(row, THRESHOLD_KEY, printThreshold(decision.written));
        if (settings.mode === 'hash_seed' || isZero(batch.traceId, row)) {
          editor.set(row, RANDOMNESS_KEY, printRandomness(item.randomness));
        }
      }
    }
    editor.finish();
    return keep.every((kept) => kept === 1) ? batch : selectLogs(batch, keptRows(keep));
  };
}

function logItem(
  batch: LogBatch,
  editor: AttributeEditor,
  row: number,
  from: AttributeKey | null,
  { mode, hashSeed, attributeSource }: LogSamplerSettings,
): Item {
  const explicit = bitsOf(editor, row, RANDOMNESS_KEY, true);
  const arriving = bitsOf(editor, row, THRESHOLD_KEY, false);
  const hasTrace = !isZero(batch.traceId, row);
  if (mode === 'hash_seed') {
    if (explicit !== null || arriving !== null) {
      return { randomness: null, arriving: null };
    }
    const ofTrace = hasTrace && attributeSource === 'traceID';
    const randomness = ofTrace
      ? hashRandomness(batch.traceId.subarray(row * 16, row * 16 + 16), hashSeed)
      : attributeRandomness(editor, row, from, hashSeed);
    return { randomness, arriving: null };
  }
  const randomness =
    explicit ?? (hasTrace ? traceRandomness(batch.traceId, row) : attributeRandomness(editor, row, from, hashSeed));
  return { randomness, arriving };
}

function attributeRandomness(
  editor: AttributeEditor,
  row: number,
  from: AttributeKey | null,
  hashSeed: number,
): Bits56 | null {
  const entry = from === null ? -1 : editor.find(row, from);
  const value = entry < 0 ? null : editor.value(entry);
  const bytes = value instanceof Uint8Array ? value : value === null ? null : Buffer.from(String(value));
  return bytes === null || bytes.length === 0 ? null : hashRandomness(bytes, hashSeed);
}

function bitsOf(editor: AttributeEditor, row: number, key: AttributeKey, exact: boolean): Bits56 | null {
  const entry = editor.find(row, key);
  const value = entry < 0 ? null : editor.value(entry);
  return typeof value === 'string' ? parseBits56(value, exact) : null;
}

function isZero(traceIds: Uint8Array, row: number): boolean {
  for (let i = row * 16; i < row * 16 + 16; i++) {
    if (traceIds[i] !== 0) {
      return false;
    }
  }
  return true;
}

/** Decides items, and remembers the threshold of each threshold that arrived. */
class Thresholds {
  readonly #settings: ProbabilisticSamplerSettings;
  readonly #own: Bits56;
  readonly #products = new Map<number, Bits56>();
  readonly #ownTraceState: string;

  constructor(settings: ProbabilisticSamplerSettings) {
    this.#settings = settings;
    const { mode, percentage, precision } = settings;
    this.#own =
      percentage <= 0
        ? NEVER_SAMPLE
        : mode === 'hash_seed'
          ? (hashThreshold(percentage) ?? NEVER_SAMPLE)
          : thresholdOf(percentage / 100, precision);
    this.#ownTraceState = traceStateOf(this.#own);
  }

  /** The tracestate of a span that had none. */
  traceState(threshold: Bits56): string {
    return threshold === this.#own ? this.#ownTraceState : traceStateOf(threshold);
  }

  /**
   * Null: dropped. Otherwise the threshold to write down (null: leave what is there). `priority` is the item's own wish: to be
   * kept, or a threshold of its own.
   */
  decide({ randomness, arriving }: Item, priority: Priority | Bits56): { readonly written: Bits56 | null } | null {
    const wished = priority === 'keep' ? ALWAYS_SAMPLE : typeof priority === 'object' ? priority : null;
    // An earlier threshold that this item should not have passed is not true.
    const isTold = randomness !== null && (arriving === null || isSampled(arriving, randomness));
    if (!isTold) {
      const kept = wished === null ? !this.#settings.failClosed : wished.high < NEVER_SAMPLE.high;
      return kept ? { written: null } : null;
    }
    const threshold = wished ?? this.#threshold(arriving);
    if (!isSampled(threshold, randomness)) {
      return null;
    }
    // A threshold never falls: what earlier samplers dropped stays dropped.
    return { written: arriving !== null && !isHigher(threshold, arriving) ? arriving : threshold };
  }

  #threshold(arriving: Bits56 | null): Bits56 {
    const { mode, percentage, precision } = this.#settings;
    if (mode !== 'proportional' || arriving === null) {
      return this.#own;
    }
    const probability = probabilityOf(arriving) * Math.min(percentage / 100, 1);
    let threshold = this.#products.get(probability);
    if (threshold === undefined) {
      if (this.#products.size === 1_000) {
        this.#products.clear();
      }
      threshold = thresholdOf(probability, precision);
      this.#products.set(probability, threshold);
    }
    return threshold;
  }
}

function isHigher(threshold: Bits56, other: Bits56): boolean {
  return threshold.high > other.high || (threshold.high === other.high && threshold.low > other.low);
}

function traceStateOf(threshold: Bits56): string {
  const state = new OtTraceState('');
  state.threshold = threshold;
  return state.print();
}
