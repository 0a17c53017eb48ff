import { Labels } from '../../promql/labels.ts';
import type { LogEntry, StreamLabels } from '../stream-labels.ts';

const ERROR = '__error__';
const ERROR_DETAILS = '__error_details__';
const PRESERVE_ERROR = '__preserve_error__';
const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * The labels of one line on its way through a pipeline: those of its stream, its structured metadata, and what parsers find. Where
 * names clash the stream keeps its own, then the metadata; the loser is called `<name>_extracted`. Used again for each line.
 */
export class LineLabels {
  #stream: StreamLabels | undefined;
  readonly metadata = new Map<string, string>();
  readonly parsed = new Map<string, string>();
  readonly #deleted = new Set<string>();
  /** What a parser has set: later ones leave it alone, wherever it has gone since. */
  readonly #extracted = new Set<string>();
  #implied: ReadonlyMap<string, string> = NOTHING;
  error = '';
  errorDetails = '';
  /** Errors do not end a metric query that asks for them. */
  preservesErrors = false;

  reset({ stream, metadata, implied }: Pick<LogEntry, 'stream' | 'metadata' | 'implied'>): void {
    this.#stream = stream;
    this.#implied = implied ?? NOTHING;
    this.metadata.clear();
    if (this.parsed.size > 0) this.parsed.clear();
    if (this.#deleted.size > 0) this.#deleted.clear();
    if (this.#extracted.size > 0) this.#extracted.clear();
    this.error = '';
    this.errorDetails = '';
    for (const [name, value] of metadata)
      this.metadata.set(stream.values.has(name) ? `${name}_extracted` : name, value);
  }

  get stream(): StreamLabels {
    return this.#stream as StreamLabels;
  }

  /** Whether nothing but the stream's own labels is there. */
  get isStreamOnly(): boolean {
    return this.metadata.size === 0 && this.parsed.size === 0 && this.#deleted.size === 0 && this.error === '';
  }

  /** undefined when there is no such label. */
  get(name: string): string | undefined {
    const value = this.parsed.get(name) ?? this.metadata.get(name);
    if (value !== undefined) return value;
    if (this.#deleted.has(name)) return undefined;
    const { values, implied } = this.stream;
    return values.get(name) ?? implied.get(name) ?? this.#implied.get(name);
  }

  /** What a filter compares: '' for a label that is not there. */
  valueOf(name: string): string {
    if (name === ERROR) return this.error;
    if (name === ERROR_DETAILS) return this.errorDetails;
    return this.get(name) ?? '';
  }

  set(name: string, value: string): void {
    this.parsed.set(name, value);
    this.#extracted.add(name);
    this.metadata.delete(name);
  }

  /** The name under which a parser sets a label. */
  nameOfParsed(name: string): string {
    return this.stream.values.has(name) || this.metadata.has(name) ? `${name}_extracted` : name;
  }

  /** Sets what a parser found, unless one has set the label before. Returns the name of the label that was set. */
  extract(name: string, value: string): string | undefined {
    const key = this.nameOfParsed(name);
    if (this.#extracted.has(key)) return undefined;
    this.set(key, value);
    return key;
  }

  delete(name: string): void {
    this.parsed.delete(name);
    this.metadata.delete(name);
    this.#deleted.add(name);
  }

  fail(error: string, details = ''): void {
    this.error = error;
    if (details !== '') this.errorDetails = details;
    if (this.preservesErrors) this.set(PRESERVE_ERROR, 'true');
  }

  /** Labels of the stream that are still there. */
  streamEntries(): [string, string][] {
    const entries = [...this.stream.values];
    if (this.parsed.size === 0 && this.metadata.size === 0 && this.#deleted.size === 0) return entries;
    return entries.filter(([name]) => !this.parsed.has(name) && !this.metadata.has(name) && !this.#deleted.has(name));
  }

  /** What parsers and formats have made, errors included. */
  parsedEntries(): [string, string][] {
    const entries = [...this.parsed];
    if (this.error !== '') entries.push([ERROR, this.error]);
    if (this.errorDetails !== '') entries.push([ERROR_DETAILS, this.errorDetails]);
    return entries;
  }

  entries(): [string, string][] {
    return [...this.streamEntries(), ...this.metadata, ...this.parsedEntries()];
  }

  /** All of them; a label that a parser found to be empty is there, and empty. */
  labels(): Labels {
    return this.isStreamOnly ? this.stream.labels : labelsOf(this.entries());
  }
}

/** Unlike `Labels.from` with what is empty. Each name once. */
export function labelsOf(entries: readonly (readonly [string, string])[]): Labels {
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return new Labels(
    sorted.map(([name]) => name),
    sorted.map(([, value]) => value),
  );
}
