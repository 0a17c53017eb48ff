import { type Attributes, type HrTime, type SpanContext, trace } from '@opentelemetry/api';
import type { AnyValue } from '@opentelemetry/api-logs';
import { nestedIn } from '../trace/protobuf-encoding.ts';
import { RepeatedFields } from '../trace/repeated-fields.ts';
import { ReverseWriter } from '../trace/reverse-writer.ts';
import { isValidSpanContext, writeSpanId, writeTraceId } from '../trace/span-context-validity.ts';
import type { ScopeBytes } from '../trace/span-encoding.ts';
import type { BatchEncoding } from '../trace/span-queue.ts';
import { toAnyValue } from './any-value.ts';
import type { GiveAttributes, LineAttributes, LogLine } from './log-line.ts';
import type { FinishedLogRecord, LogScope } from './log-record.ts';

/** Of LogRecord. */
const attributesField = 6;
const maxKeptNames = 256;
const maxEnds = 4;
const maxKeptText = 128;

/** What is written last of a line, before its time. */
interface LineEnd {
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string | undefined;
  /** Undefined until it has come again. */
  bytes: Uint8Array | undefined;
}

/**
 * ExportLogsServiceRequest as protobuf, in two steps as for spans: each record is encoded when it is emitted, and only bytes
 * wait. https://github.com/open-telemetry/opentelemetry-proto has the numbers of the fields.
 */
export class ProtobufLogs implements BatchEncoding<LogScope> {
  readonly separator = new Uint8Array(0);
  readonly #schemaUrl: string | undefined;
  readonly #maxAttributes: number;
  readonly #writer = new RecordWriter();
  #isWriting = false;

  /** `schemaUrl` is that of the resource; lines with more attributes than `maxAttributes` are not encoded. */
  constructor(schemaUrl?: string, maxAttributes = Number.POSITIVE_INFINITY) {
    this.#schemaUrl = schemaUrl;
    this.#maxAttributes = maxAttributes;
  }

  /** Valid until the next call. */
  encode(record: FinishedLogRecord): Uint8Array {
    const writer = this.#begin();
    try {
      return writer.record(record);
    } finally {
      if (writer === this.#writer) this.#isWriting = false;
    }
  }

  /** The same of a line; undefined for one whose attributes have to be looked at together before any of them is written. */
  encodeLine(line: LogLine, give: GiveAttributes): Uint8Array | undefined {
    const writer = this.#begin();
    try {
      return writer.line(line, give, this.#maxAttributes);
    } finally {
      if (writer === this.#writer) this.#isWriting = false;
    }
  }

  /** A getter in what is logged may log something itself. */
  #begin(): RecordWriter {
    if (this.#isWriting) return new RecordWriter();
    this.#isWriting = true;
    return this.#writer;
  }

  request(resource: Attributes, scopes: readonly ScopeBytes<LogScope>[]): readonly Uint8Array[] {
    const writer = new ReverseWriter();
    const message = (write: () => void): Uint8Array => {
      writer.reset();
      write();
      return Buffer.from(writer.written);
    };
    const resourceHead = message(() => {
      writer.keyValues(1, resource);
      writer.nested(1, 0);
    });
    const parts = scopes.flatMap(({ scope, bytes }) =>
      nestedIn(2, [message(() => scopeHead(writer, scope)), bytes, message(() => text(writer, 3, scope.schemaUrl))]),
    );
    return nestedIn(1, [resourceHead, ...parts, message(() => text(writer, 3, this.#schemaUrl))]);
  }
}

function scopeHead(writer: ReverseWriter, { name, version, attributes, droppedAttributesCount = 0 }: LogScope): void {
  count(writer, 4, droppedAttributesCount);
  if (attributes !== undefined) writer.keyValues(3, attributes);
  text(writer, 2, version);
  text(writer, 1, name);
  writer.nested(1, 0);
}

/** LogRecord, field 2 of ScopeLogs. */
class RecordWriter implements LineAttributes {
  readonly #writer = new ReverseWriter();
  /** Of the line's attributes that have been written; what is behind `#count` of them is an earlier line's. An array that is emptied gives its memory back, and takes it again. */
  readonly #names: string[] = [];
  #count = 0;
  readonly #ends: LineEnd[] = [];
  #nextEnd = 0;
  readonly #fields = new RepeatedFields((writer, key, value) => {
    if (value !== undefined) writer.keyValue(1, key, value);
  });

  record(record: FinishedLogRecord): Uint8Array {
    const writer = this.#writer;
    this.#begin(record.hrTimeObserved, record.spanContext, record.eventName);
    count(writer, 7, record.droppedAttributesCount);
    writer.keyValues(attributesField, record.attributes);
    this.#writeEnd(record.severityNumber, record.severityText, record.body);
    return this.#finish(record.hrTime);
  }

  line(
    { time, severityNumber, severityText, body, context }: LogLine,
    give: GiveAttributes,
    maxAttributes: number,
  ): Uint8Array | undefined {
    const spanContext = trace.getSpanContext(context);
    const isInTrace = spanContext !== undefined && isValidSpanContext(spanContext);
    this.#begin(time, isInTrace ? spanContext : undefined);
    this.#count = 0;
    if (this.#names.length > maxKeptNames) this.#names.length = 0;
    give(this);
    // Which of too many count, and whether ids only repeat those of the record, is known when all are there.
    if (this.#count > maxAttributes || (isInTrace && this.#has('trace_id'))) return undefined;
    this.#endLine(severityNumber, severityText, body);
    return this.#finish(time);
  }

  /** What an application says of itself it says again and again, some lines one after the other: kept encoded when it comes again. */
  #endLine(severityNumber: number, severityText: string, body: string | undefined): void {
    const writer = this.#writer;
    const ends = this.#ends;
    for (let index = 0; index < ends.length; index += 1) {
      const end = ends[index] as LineEnd;
      if (end.body !== body || end.severityNumber !== severityNumber || end.severityText !== severityText) continue;
      if (end.bytes !== undefined) {
        writer.bytes(end.bytes);
        return;
      }
      const before = writer.length;
      this.#writeEnd(severityNumber, severityText, body);
      end.bytes = writer.copy(before);
      return;
    }
    this.#writeEnd(severityNumber, severityText, body);
    if ((body?.length ?? 0) + severityText.length > maxKeptText) return;
    ends[this.#nextEnd] = { severityNumber, severityText, body, bytes: undefined };
    this.#nextEnd = (this.#nextEnd + 1) % maxEnds;
  }

  add(name: string, value: AnyValue): void {
    if (name === '' || this.#has(name)) return;
    this.#names[this.#count++] = name;
    this.#writer.keyValue(attributesField, name, value);
  }

  addLogged(name: string, logged: unknown): void {
    if (isPlain(logged) && name !== '' && !this.#has(name) && this.#writePlain(name, logged)) {
      this.#names[this.#count++] = name;
      return;
    }
    const value = toAnyValue(logged);
    if (value !== undefined) this.add(name, value);
  }

  #has(name: string): boolean {
    const names = this.#names;
    for (let index = this.#count - 1; index >= 0; index -= 1) if (names[index] === name) return true;
    return false;
  }

  /** False, with nothing written, where there is more in the object than texts and numbers. */
  #writePlain(name: string, fields: Readonly<Record<string, unknown>>): boolean {
    const writer = this.#writer;
    const before = writer.length;
    if (!this.#fields.write(writer, name, fields)) return false;
    writer.nested(6, before);
    writer.named(attributesField, name, before);
    return true;
  }

  #begin(observed: HrTime, spanContext: SpanContext | undefined, eventName?: string): void {
    const writer = this.#writer;
    writer.reset();
    text(writer, 12, eventName);
    writer.nanos(observed);
    writer.tag(11, 1);
    if (spanContext === undefined) return;
    writeSpanId(writer, spanContext);
    writer.tag(10, 2);
    writeTraceId(writer, spanContext);
    writer.tag(9, 2);
    if (spanContext.traceFlags === 0) return;
    writer.fixed32(spanContext.traceFlags);
    writer.tag(8, 5);
  }

  #writeEnd(severityNumber = 0, severityText?: string, body?: AnyValue): void {
    const writer = this.#writer;
    if (body !== undefined) {
      const beforeBody = writer.length;
      writer.anyValue(body);
      writer.nested(5, beforeBody);
    }
    text(writer, 3, severityText);
    count(writer, 2, severityNumber);
  }

  #finish(time: HrTime): Uint8Array {
    const writer = this.#writer;
    writer.nanos(time);
    writer.tag(1, 1);
    writer.nested(2, 0);
    return writer.written;
  }
}

/** Whether `toAnyValue` would look at nothing but the object's own fields. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function'
  );
}

function text(writer: ReverseWriter, field: number, value: string | undefined): void {
  if (value === undefined || value === '') return;
  writer.text(value);
  writer.tag(field, 2);
}

function count(writer: ReverseWriter, field: number, value: number): void {
  if (value === 0) return;
  writer.varint(value);
  writer.tag(field, 0);
}
