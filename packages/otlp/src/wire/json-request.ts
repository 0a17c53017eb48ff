import { BatchTooLargeError, type ByteSlices, type RecordBatch } from '@signalbox/records';
import type { DecodeLimits } from './decode-limits.ts';
import { FieldNames } from './field-names.ts';
import { END_OF_OBJECT, JsonReader } from './json-reader.ts';
import { JsonValues } from './json-values.ts';

const RESOURCE = new FieldNames('attributes', 'droppedAttributesCount');
const SCOPE = new FieldNames('name', 'version', 'attributes', 'droppedAttributesCount');

/** The names around the records of a signal. */
export interface RequestNames {
  /** `resourceSpans` … */
  readonly request: FieldNames;
  /** `resource`, `scopeSpans` …, `schemaUrl` */
  readonly resourceGroup: FieldNames;
  /** `scope`, `spans` …, `schemaUrl` */
  readonly scopeGroup: FieldNames;
}

/** Reads the objects around spans, log records and metrics. Fields may come in any order; what comes twice is merged. */
export abstract class JsonRequest<Batch extends RecordBatch> {
  protected readonly batch: Batch;
  protected readonly reader: JsonReader;
  protected readonly values: JsonValues;
  readonly #names: RequestNames;

  constructor(batch: Batch, limits: DecodeLimits, names: RequestNames) {
    this.batch = batch;
    this.reader = new JsonReader(batch.bytes);
    this.values = new JsonValues(this.reader, limits.maxValueDepth);
    this.#names = names;
  }

  /** Reads the whole request. Throws OtlpDecodeError; the batch is then in no usable state. */
  read(): void {
    const { reader } = this;
    const { request } = this.#names;
    try {
      for (let field = reader.firstField(request); field !== END_OF_OBJECT; field = reader.nextField(request)) {
        if (field === 1) {
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            this.#resourceGroup();
          }
        } else {
          reader.skip();
        }
      }
      reader.endOfText();
    } catch (error) {
      throw error instanceof BatchTooLargeError ? reader.fail(error.message) : error;
    }
  }

  /** Reads a span, log record or metric. */
  protected abstract readRecord(resource: number, scope: number): void;

  /** Reads a string into a row of a column. */
  protected text(column: ByteSlices, row: number): void {
    const { reader } = this;
    reader.string();
    column.set(row, reader.start, reader.end);
  }

  #resourceGroup(): void {
    const { reader } = this;
    const { resources } = this.batch;
    const { resourceGroup } = this.#names;
    const resource = resources.add();
    for (
      let field = reader.firstField(resourceGroup);
      field !== END_OF_OBJECT;
      field = reader.nextField(resourceGroup)
    ) {
      switch (field) {
        case 1:
          this.#resource(resource);
          break;
        case 2:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            this.#scopeGroup(resource);
          }
          break;
        case 3:
          this.text(resources.schemaUrl, resource);
          break;
        default:
          reader.skip();
      }
    }
    resources.end(reader.bytes);
  }

  #resource(resource: number): void {
    const { reader } = this;
    const { attributes, droppedAttributesCount } = this.batch.resources;
    for (let field = reader.firstField(RESOURCE); field !== END_OF_OBJECT; field = reader.nextField(RESOURCE)) {
      if (field === 1) {
        this.values.attributes(attributes);
      } else if (field === 2) {
        droppedAttributesCount[resource] = reader.uint32();
      } else {
        reader.skip();
      }
    }
  }

  #scopeGroup(resource: number): void {
    const { reader } = this;
    const { scopes } = this.batch;
    const { scopeGroup } = this.#names;
    const scope = scopes.add(resource);
    for (let field = reader.firstField(scopeGroup); field !== END_OF_OBJECT; field = reader.nextField(scopeGroup)) {
      switch (field) {
        case 1:
          this.#scope(scope);
          break;
        case 2:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            this.readRecord(resource, scope);
          }
          break;
        case 3:
          this.text(scopes.schemaUrl, scope);
          break;
        default:
          reader.skip();
      }
    }
    scopes.end();
  }

  #scope(scope: number): void {
    const { reader } = this;
    const { scopes } = this.batch;
    for (let field = reader.firstField(SCOPE); field !== END_OF_OBJECT; field = reader.nextField(SCOPE)) {
      switch (field) {
        case 1:
          this.text(scopes.name, scope);
          break;
        case 2:
          this.text(scopes.version, scope);
          break;
        case 3:
          this.values.attributes(scopes.attributes);
          break;
        case 4:
          scopes.droppedAttributesCount[scope] = reader.uint32();
          break;
        default:
          reader.skip();
      }
    }
  }
}
