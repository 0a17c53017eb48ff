import { BatchTooLargeError, type RecordBatch } from '@signalbox/records';
import type { DecodeLimits } from './decode-limits.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { ProtobufValues } from './protobuf-values.ts';

/**
 * Reads the messages around spans, log records and metrics: their field numbers are the same in `Export…ServiceRequest`,
 * `Resource…` and `Scope…` of all three signals. Fields may come in any order; a `resource` or `scope` that comes twice is merged.
 */
export abstract class ProtobufRequest<Batch extends RecordBatch> {
  protected readonly batch: Batch;
  protected readonly reader: ProtobufReader;
  protected readonly values: ProtobufValues;

  constructor(batch: Batch, limits: DecodeLimits) {
    this.batch = batch;
    this.reader = new ProtobufReader(batch.bytes);
    this.values = new ProtobufValues(this.reader, limits.maxValueDepth);
  }

  /** Reads the whole request. Throws OtlpDecodeError; the batch is then in no usable state. */
  read(): void {
    const { reader } = this;
    const end = reader.bytes.length;
    try {
      while (reader.position < end) {
        const tag = reader.tag();
        if (tag === 0x0a) {
          this.#resourceGroup(reader.delimited(end));
        } else {
          reader.skip(tag, end);
        }
      }
      reader.endMessage(end);
    } catch (error) {
      throw error instanceof BatchTooLargeError ? reader.fail(error.message) : error;
    }
  }

  /** Reads the span, log record or metric that ends at `end`. */
  protected abstract readRecord(end: number, resource: number, scope: number): void;

  #resourceGroup(end: number): void {
    const { reader } = this;
    const { resources } = this.batch;
    const resource = resources.add();
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          this.#resource(reader.delimited(end), resource);
          break;
        case 0x12:
          this.#scopeGroup(reader.delimited(end), resource);
          break;
        case 0x1a: {
          const urlEnd = reader.delimited(end);
          resources.schemaUrl.set(resource, reader.position, urlEnd);
          reader.position = urlEnd;
          break;
        }
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    resources.end(reader.bytes);
  }

  #resource(end: number, resource: number): void {
    const { reader } = this;
    const { attributes, droppedAttributesCount } = this.batch.resources;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        this.values.attributes(attributes, end, tag);
      } else if (tag === 0x10) {
        droppedAttributesCount[resource] = reader.uint32();
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #scopeGroup(end: number, resource: number): void {
    const { reader } = this;
    const { scopes } = this.batch;
    const scope = scopes.add(resource);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          this.#scope(reader.delimited(end), scope);
          break;
        case 0x12:
          this.readRecord(reader.delimited(end), resource, scope);
          break;
        case 0x1a: {
          const urlEnd = reader.delimited(end);
          scopes.schemaUrl.set(scope, reader.position, urlEnd);
          reader.position = urlEnd;
          break;
        }
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    scopes.end();
  }

  #scope(end: number, scope: number): void {
    const { reader } = this;
    const { scopes } = this.batch;
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
        case 0x12: {
          const textEnd = reader.delimited(end);
          (tag === 0x0a ? scopes.name : scopes.version).set(scope, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x1a:
          this.values.attributes(scopes.attributes, end, tag);
          break;
        case 0x20:
          scopes.droppedAttributesCount[scope] = reader.uint32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }
}
