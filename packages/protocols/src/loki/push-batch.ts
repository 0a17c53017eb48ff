import { AttributeType, LogBatch } from '@signalbox/records';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { type LineContext, readLine, takePair } from './line-context.ts';
import type { LabelPair } from './parse-labels.ts';
import { severityNumberOf } from './severity.ts';
import { streamAttributes } from './stream-attributes.ts';

/** Loki's own default is far lower; this only bounds what one request can cost. */
const MAX_METADATA = 256;

const decoder = new TextDecoder();

/** Makes a batch of the streams of a push request. Each stream becomes a resource; lines are slices of the request's bytes where they can be. */
export class PushBatch {
  readonly batch: LogBatch;
  #resource = 0;
  #scope = 0;
  #level = '';
  readonly #texts = new Map<string, number>();

  constructor(bytes: Uint8Array) {
    this.batch = new LogBatch(bytes);
  }

  /** Starts a stream. Throws ProtocolDecodeError when it has no labels, in Loki's words. */
  stream(labels: readonly LabelPair[]): void {
    if (labels.length === 0) {
      throw new ProtocolDecodeError('error at least one label pair is required per stream');
    }
    const { batch } = this;
    const { resources, scopes } = batch;
    this.#resource = resources.add();
    for (const [name, value] of streamAttributes(labels)) {
      const entry = resources.attributes.add(...this.#text(name));
      resources.attributes.values.setSlice(entry, AttributeType.String, ...this.#text(value));
    }
    resources.end(batch.bytes);
    this.#scope = scopes.add(this.#resource);
    scopes.end();
    const level = labels.find(([name, value]) => /^(detected_)?level$|^severity$/.test(name) && value !== '');
    this.#level = level?.[1] ?? '';
  }

  /** @param time nanoseconds since 1970 */
  entryOfText(time: bigint, line: string, metadata: readonly LabelPair[]): void {
    const start = this.batch.appendText(line);
    this.#entry(time, line, start, this.batch.byteCount, metadata);
  }

  /** An entry whose line stands in the batch's bytes already. */
  entryOfSlice(time: bigint, start: number, end: number, metadata: readonly LabelPair[]): void {
    this.#entry(time, decoder.decode(this.batch.bytes.subarray(start, end)), start, end, metadata);
  }

  #entry(time: bigint, line: string, start: number, end: number, metadata: readonly LabelPair[]): void {
    if (metadata.length > MAX_METADATA) {
      throw new ProtocolDecodeError(`an entry has more than ${MAX_METADATA} structured metadata labels`);
    }
    const { batch } = this;
    const row = batch.begin(this.#resource, this.#scope);
    batch.time.values[row] = time;
    batch.body.setSlice(row, AttributeType.String, start, end);
    const context: LineContext = { traceId: '', spanId: '', level: '' };
    for (const [name, value] of metadata) {
      takePair(context, name, value);
      const entry = batch.attributes.add(...this.#text(name));
      const valueStart = batch.appendText(value);
      batch.attributes.values.setSlice(entry, AttributeType.String, valueStart, batch.byteCount);
    }
    if (context.level === '' && severityNumberOf(this.#level) !== 0) context.level = this.#level;
    readLine(context, line);
    if (context.traceId !== '') batch.traceId.set(Buffer.from(context.traceId, 'hex'), row * 16);
    if (context.spanId !== '') batch.spanId.set(Buffer.from(context.spanId, 'hex'), row * 8);
    if (context.level !== '') {
      batch.severityNumber[row] = severityNumberOf(context.level);
      batch.severityText.set(row, ...this.#text(context.level));
    }
    batch.end();
  }

  /** Labels and keys stand in the bytes once. */
  #text(text: string): [start: number, end: number] {
    let start = this.#texts.get(text);
    if (start === undefined) {
      start = this.batch.appendText(text);
      this.#texts.set(text, start);
    }
    return [start, start + Buffer.byteLength(text)];
  }
}
