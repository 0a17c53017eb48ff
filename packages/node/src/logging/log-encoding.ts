import type { Attributes } from '@opentelemetry/api';
import { nestedIn } from '../trace/protobuf-encoding.ts';
import { ReverseWriter } from '../trace/reverse-writer.ts';
import type { ScopeBytes } from '../trace/span-encoding.ts';
import type { BatchEncoding } from '../trace/span-queue.ts';
import type { FinishedLogRecord, LogScope } from './log-record.ts';

/**
 * ExportLogsServiceRequest as protobuf, in two steps as for spans: each record is encoded when it is emitted, and only bytes
 * wait. https://github.com/open-telemetry/opentelemetry-proto has the numbers of the fields.
 */
export class ProtobufLogs implements BatchEncoding<LogScope> {
  readonly separator = new Uint8Array(0);
  readonly #schemaUrl: string | undefined;
  readonly #writer = new ReverseWriter();
  #isWriting = false;

  /** `schemaUrl` is that of the resource. */
  constructor(schemaUrl?: string) {
    this.#schemaUrl = schemaUrl;
  }

  /** Valid until the next call. */
  encode(record: FinishedLogRecord): Uint8Array {
    // A getter in what is logged may log something itself.
    const writer = this.#isWriting ? new ReverseWriter() : this.#writer;
    const wasWriting = this.#isWriting;
    this.#isWriting = true;
    try {
      writer.reset();
      logRecord(writer, record);
      return writer.written;
    } finally {
      this.#isWriting = wasWriting;
    }
  }

  request(resource: Attributes, scopes: readonly ScopeBytes<LogScope>[]): Uint8Array {
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
    const parts = scopes.map(({ scope, bytes }) =>
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

function logRecord(writer: ReverseWriter, record: FinishedLogRecord): void {
  const { spanContext, body } = record;
  text(writer, 12, record.eventName);
  writer.nanos(record.hrTimeObserved);
  writer.tag(11, 1);
  if (spanContext !== undefined) {
    writer.hex(spanContext.spanId);
    writer.tag(10, 2);
    writer.hex(spanContext.traceId);
    writer.tag(9, 2);
    if (spanContext.traceFlags !== 0) {
      writer.fixed32(spanContext.traceFlags);
      writer.tag(8, 5);
    }
  }
  count(writer, 7, record.droppedAttributesCount);
  writer.keyValues(6, record.attributes);
  if (body !== undefined) {
    const beforeBody = writer.length;
    writer.anyValue(body);
    writer.nested(5, beforeBody);
  }
  text(writer, 3, record.severityText);
  count(writer, 2, record.severityNumber ?? 0);
  writer.nanos(record.hrTime);
  writer.tag(1, 1);
  writer.nested(2, 0);
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
