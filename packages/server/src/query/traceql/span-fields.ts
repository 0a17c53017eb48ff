import type { KeyValue } from '@signalbox/api-contract';
import { NIL, type Static, toInteger, type traceql } from '@signalbox/query-language';
import { attributeTagged } from '../../store/clickhouse/attributes.ts';
import { parseKeyValues } from '../key-values.ts';
import { spanKindName, statusCodeName } from '../span-codes.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { isPlainKey } from './json-keys.ts';
import type { KeyPlaces } from './key-places.ts';
import { staticOfAnyValue, staticOfTagged } from './static-values.ts';
import type { TraceSpan } from './trace-span.ts';

/** The values of a field of a span: none, one, or several of its events and links. */
export type FieldReader = (span: TraceSpan) => readonly Static[];

/**
 * Which columns of `spans` the fields of a query are read from. Whatever asks for a field gets a reader for it, and the rows
 * that `TraceSpan.cells` come from have the columns in the order of `columns`.
 */
export class SpanFields {
  readonly #parameters: SqlParameters;
  readonly #columns: string[] = [];
  /** Columns of the spans' own attributes, by their keys. */
  readonly #attributes = new Map<string, number>();
  #readsResources = false;
  #readsTree = false;

  constructor(parameters: SqlParameters) {
    this.#parameters = parameters;
  }

  /** SQL of the columns, apart from those that every span has. */
  get columns(): readonly string[] {
    return this.#columns;
  }

  /**
   * The same, where more is known of the spans that are read: reading attributes is most of the work.
   * @param texts of the spans' own attributes that all of them have
   */
  columnsKnowing(
    texts: ReadonlyMap<string, string>,
    places: ReadonlyMap<string, KeyPlaces>,
    parameters: SqlParameters,
  ): readonly string[] {
    const columns = [...this.#columns];
    for (const [name, cell] of this.#attributes) {
      if (places.get(name)?.composite !== false) continue;
      const text = texts.get(name);
      columns[cell] =
        text === undefined
          ? attributeTagged('attributes', parameters.string(name), true)
          : `concat('s', ${parameters.string(text)})`;
    }
    return columns;
  }

  get readsResources(): boolean {
    return this.#readsResources;
  }

  /** Some field depends on the span's place in its whole trace. */
  get readsTree(): boolean {
    return this.#readsTree;
  }

  reader(field: traceql.Field): FieldReader {
    return field.kind === 'intrinsic' ? this.#intrinsic(field.name) : this.#attribute(field);
  }

  /** OTLP's number of the span's kind. */
  kindReader(): (span: TraceSpan) => number {
    const kind = this.#cell('kind');
    return ({ cells }) => Number(cells[kind]);
  }

  #cell(sql: string): number {
    const at = this.#columns.indexOf(sql);
    return at >= 0 ? at : this.#columns.push(sql) - 1;
  }

  #text(sql: string): FieldReader {
    const cell = this.#cell(sql);
    return ({ cells }) => [{ type: 'string', value: cells[cell] as string }];
  }

  #intrinsic(name: traceql.IntrinsicField['name']): FieldReader {
    switch (name) {
      case 'name':
        return this.#text('name');
      case 'duration':
        return ({ duration }) => [{ type: 'duration', value: duration }];
      case 'statusMessage':
        return this.#text('status_message');
      case 'instrumentation:name':
        return this.#text('scope_name');
      case 'instrumentation:version':
        return this.#text('scope_version');
      case 'status': {
        const cell = this.#cell('status_code');
        return ({ cells }) => [{ type: 'status', value: statusCodeName(cells[cell] as number).toLowerCase() }];
      }
      case 'kind': {
        const cell = this.#cell('kind');
        return ({ cells }) => [{ type: 'kind', value: spanKindName(cells[cell] as number).toLowerCase() }];
      }
      case 'span:id':
        return ({ id }) => [{ type: 'string', value: id }];
      case 'span:parentID':
        return ({ parentId }) => [{ type: 'string', value: parentId }];
      case 'trace:id':
        return ({ trace }) => [{ type: 'string', value: shortTraceId(trace.traceId) }];
      case 'traceDuration':
        return ({ trace }) => [{ type: 'duration', value: toInteger(trace.end - trace.start) }];
      case 'rootName':
        return ({ trace }) => [{ type: 'string', value: trace.root?.name ?? '' }];
      case 'rootServiceName':
        return ({ trace }) => [{ type: 'string', value: trace.root?.service ?? '' }];
      case 'nestedSetLeft':
        return this.#treeNumber(({ left }) => left);
      case 'nestedSetRight':
        return this.#treeNumber(({ right }) => right);
      case 'nestedSetParent':
        return this.#treeNumber(({ parentLeft }) => parentLeft);
      case 'span:childCount':
        return this.#treeNumber(({ childCount }) => childCount);
      case 'event:name':
        return this.#texts('event_name');
      case 'event:timeSinceStart': {
        const cell = this.#cell('arrayMap(x -> toUnixTimestamp64Nano(x) - toUnixTimestamp64Nano(time), event_time)');
        return ({ cells }) =>
          (cells[cell] as string[]).map((value) => ({ type: 'duration', value: toInteger(BigInt(value)) }));
      }
      case 'link:traceID':
        return this.#texts('arrayMap(x -> lower(hex(x)), link_trace_id)');
      case 'link:spanID':
        return this.#texts('arrayMap(x -> lower(hex(x)), link_span_id)');
      case 'parent':
        throw new Error('The type check lets no parent pass');
    }
  }

  #treeNumber(read: (span: TraceSpan) => number): FieldReader {
    this.#readsTree = true;
    return (span) => [{ type: 'int', value: read(span) }];
  }

  #texts(sql: string): FieldReader {
    const cell = this.#cell(sql);
    return ({ cells }) => (cells[cell] as string[]).map((value) => ({ type: 'string', value }));
  }

  #attribute({ scope, name }: traceql.AttributeField): FieldReader {
    switch (scope) {
      case 'span':
        return this.#own(name);
      case 'resource':
        return this.#ofResource(name);
      case 'event':
        return this.#ofLists('event_attributes', name);
      case 'link':
        return this.#ofLists('link_attributes', name);
      case 'instrumentation':
        return this.#ofScope(name);
      case 'none': {
        const places = [
          this.#own(name),
          this.#ofResource(name),
          this.#ofLists('event_attributes', name),
          this.#ofLists('link_attributes', name),
          this.#ofScope(name),
        ];
        return (span) => {
          for (const read of places) {
            const values = read(span);
            if (values.length > 0) return values;
          }
          return [];
        };
      }
    }
  }

  #own(name: string): FieldReader {
    const cell = this.#cell(attributeTagged('attributes', this.#parameters.string(name)));
    this.#attributes.set(name, cell);
    return ({ cells }) => present(staticOfTagged(cells[cell] as string));
  }

  #ofResource(name: string): FieldReader {
    this.#readsResources = true;
    return ({ resource }) => present(resource.get(name) ?? NIL);
  }

  /** Of each event or link: an OTLP/JSON KeyValue list. */
  #ofLists(column: string, name: string): FieldReader {
    const cell = this.#cell(column);
    return ({ cells }) => (cells[cell] as string[]).flatMap((text) => valueIn(text, name));
  }

  #ofScope(name: string): FieldReader {
    const cell = this.#cell('scope_attributes');
    return ({ cells }) => valueIn(cells[cell] as string, name);
  }
}

/** As Tempo shows trace ids: without leading zeros. */
export function shortTraceId(traceId: string): string {
  return traceId.replace(/^0+/, '');
}

function present(value: Static): readonly Static[] {
  return value.type === 'nil' ? [] : [value];
}

function valueIn(text: string, name: string): readonly Static[] {
  // The name in some other place of the text costs no more than reading it.
  if (text === '' || (isPlainKey(name) && !text.includes(`"${name}"`))) return [];
  const found: KeyValue | undefined = parseKeyValues(text).find(({ key }) => key === name);
  return found === undefined ? [] : present(staticOfAnyValue(found.value));
}
