import type { Call, Condition, Expression, Path } from './ast.ts';
import { fieldOf, type OttlContext } from './contexts.ts';
import { ENUMS } from './enums.ts';
import type { Field } from './field.ts';
import { Arguments } from './functions/arguments.ts';
import type { OttlFunctions } from './functions/function.ts';
import { OttlError, OttlValueError } from './ottl-error.ts';
import { parseCondition, parseExpression, parseStatement } from './parser.ts';
import { calculate, compare, describe, isList, isMap, storable, type Value } from './value.ts';

export type Getter<Cursor> = (cursor: Cursor) => Value;

export interface OttlDialect<Cursor> {
  readonly context: OttlContext<Cursor>;
  readonly functions: OttlFunctions<Cursor>;
}

const encoder = new TextEncoder();

/**
 * Makes closures of statements and conditions: what can be known beforehand (fields, patterns, constants) is looked up once. They
 * throw OttlValueError when a value is of a kind that they cannot work with.
 */
export class OttlCompiler<Cursor> {
  readonly #dialect: OttlDialect<Cursor>;
  readonly #text: string;

  private constructor(dialect: OttlDialect<Cursor>, text: string) {
    this.#dialect = dialect;
    this.#text = text;
  }

  /** Throws OttlError. */
  static statement<Cursor>(dialect: OttlDialect<Cursor>, text: string): (cursor: Cursor) => void {
    const { editor, where } = parseStatement(text);
    const compiler = new OttlCompiler(dialect, text);
    const edit = compiler.call(editor);
    if (where === null) {
      return edit;
    }
    const condition = compiler.#condition(where);
    return (cursor) => {
      if (condition(cursor)) {
        edit(cursor);
      }
    };
  }

  /** Throws OttlError. */
  static condition<Cursor>(dialect: OttlDialect<Cursor>, text: string): (cursor: Cursor) => boolean {
    return new OttlCompiler(dialect, text).#condition(parseCondition(text));
  }

  /** Throws OttlError. */
  static expression<Cursor>(dialect: OttlDialect<Cursor>, text: string): Getter<Cursor> {
    return new OttlCompiler(dialect, text).getter(parseExpression(text));
  }

  error(message: string, position: number): OttlError {
    return new OttlError(message, this.#text, position);
  }

  getter(expression: Expression): Getter<Cursor> {
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return () => value;
      }
      case 'enum': {
        const value = ENUMS.get(expression.name);
        if (value === undefined) {
          throw this.error(`unknown name ${expression.name}`, expression.position);
        }
        return () => value;
      }
      case 'path':
        return this.field(expression).get;
      case 'call':
        return this.#indexed(this.call(expression), expression.keys);
      case 'list': {
        const getters = expression.values.map((value) => this.getter(value));
        return (cursor) => getters.map((get) => storable(get(cursor)));
      }
      case 'map': {
        const getters = expression.entries.map(([key, value]) => [key, this.getter(value)] as const);
        return (cursor) => ({ entries: getters.map(([key, get]) => [key, storable(get(cursor))] as const) });
      }
      case 'arithmetic': {
        const { operator } = expression;
        const left = this.getter(expression.left);
        const right = this.getter(expression.right);
        return (cursor) => calculate(operator, left(cursor), right(cursor));
      }
    }
  }

  call(call: Call): Getter<Cursor> {
    const { functions } = this.#dialect;
    const definition = functions.get(call.name);
    if (definition === undefined) {
      const same = [...functions.keys()].find((name) => name.toLowerCase() === call.name.toLowerCase());
      const hint = same === undefined ? `; known are ${[...functions.keys()].join(', ')}` : `; did you mean ${same}?`;
      throw this.error(`${call.name} is not a function that Signalbox has here${hint}`, call.position);
    }
    const compiled = definition.compile(new Arguments(this, call, definition.parameters));
    return (cursor) => compiled(cursor) ?? null;
  }

  /** The converter of this name, given to a function to apply to a text. */
  converter(name: string, position: number): (cursor: Cursor, value: Value) => Value {
    const definition = this.#dialect.functions.get(name);
    if (
      definition === undefined ||
      definition.parameters.filter((parameter) => !parameter.endsWith('?')).length !== 1
    ) {
      throw this.error(`${name} is not a converter of one value`, position);
    }
    let current: Value = null;
    const call: Call = {
      kind: 'call',
      name,
      keys: [],
      position,
      arguments: [{ name: null, value: { kind: 'literal', value: null, position }, position }],
    };
    const compiled = definition.compile(
      new Arguments<Cursor>(
        {
          getter: () => () => current,
          field: this.field.bind(this),
          converter: this.converter.bind(this),
          error: this.error.bind(this),
        },
        call,
        definition.parameters,
      ),
    );
    return (cursor, value) => {
      current = value;
      return compiled(cursor) ?? null;
    };
  }

  /** The place that a path leads to. */
  field(path: Path): Field<Cursor> {
    const field = fieldOf(this.#dialect.context, path);
    if (typeof field === 'string') {
      throw this.error(field, path.position);
    }
    const [key, ...nested] = path.keys;
    if (key === undefined) {
      return field;
    }
    if (field.key === undefined) {
      return this.#nestedField(field, path.keys);
    }
    if (key.kind === 'literal' && typeof key.value === 'string') {
      const ofKey = field.key(key.value);
      return nested.length === 0 ? ofKey : this.#nestedField(ofKey, nested);
    }
    // The key is only known when the statement runs.
    const keyOf = this.getter(key);
    const make = field.key;
    const chosen = (cursor: Cursor): Field<Cursor> => {
      const name = keyOf(cursor);
      if (typeof name !== 'string') {
        throw new OttlValueError(`a key is a string, not ${describe(name)}`);
      }
      return make(name);
    };
    const ofKey: Field<Cursor> = {
      get: (cursor) => chosen(cursor).get(cursor),
      set: (cursor, value) => chosen(cursor).set?.(cursor, value),
    };
    return nested.length === 0 ? ofKey : this.#nestedField(ofKey, nested);
  }

  /** A part of a value: read by going down, written by making the whole anew. */
  #nestedField(whole: Field<Cursor>, keys: readonly Expression[]): Field<Cursor> {
    const getters = keys.map((key) => this.getter(key));
    const get: Getter<Cursor> = (cursor) => {
      let value = whole.get(cursor);
      for (const key of getters) {
        value = partOf(value, key(cursor));
      }
      return value;
    };
    const { set } = whole;
    if (set === undefined) {
      return { get };
    }
    return {
      get,
      set: (cursor, value) => {
        const path = getters.map((key) => key(cursor));
        set(cursor, withPart(whole.get(cursor), path, value));
      },
    };
  }

  #indexed(get: Getter<Cursor>, keys: readonly Expression[]): Getter<Cursor> {
    return keys.length === 0 ? get : this.#nestedField({ get }, keys).get;
  }

  #condition(condition: Condition): (cursor: Cursor) => boolean {
    switch (condition.kind) {
      case 'truth': {
        const get = this.getter(condition.value);
        return (cursor) => {
          const value = get(cursor);
          if (typeof value !== 'boolean') {
            throw new OttlValueError(`a condition is a bool, not ${describe(value)}`);
          }
          return value;
        };
      }
      case 'not': {
        const inner = this.#condition(condition.condition);
        return (cursor) => !inner(cursor);
      }
      case 'and': {
        const all = condition.conditions.map((part) => this.#condition(part));
        return (cursor) => all.every((part) => part(cursor));
      }
      case 'or': {
        const some = condition.conditions.map((part) => this.#condition(part));
        return (cursor) => some.some((part) => part(cursor));
      }
      case 'comparison': {
        const { comparator } = condition;
        const asText = this.#textComparison(condition.left, condition.right);
        if (asText !== null && (comparator === '==' || comparator === '!=')) {
          return comparator === '==' ? asText : (cursor) => !asText(cursor);
        }
        const left = this.getter(condition.left);
        const right = this.getter(condition.right);
        return (cursor) => compare(comparator, left(cursor), right(cursor));
      }
    }
  }

  /** Whether a field is a constant text needs no string to be made. */
  #textComparison(left: Expression, right: Expression): ((cursor: Cursor) => boolean) | null {
    const [path, literal] = left.kind === 'path' ? [left, right] : [right, left];
    if (path.kind !== 'path' || literal.kind !== 'literal' || typeof literal.value !== 'string') {
      return null;
    }
    const { isText } = this.field(path);
    if (isText === undefined) {
      return null;
    }
    const text = encoder.encode(literal.value);
    return (cursor) => isText(cursor, text);
  }
}

function partOf(value: Value, key: Value): Value {
  if (isMap(value) && typeof key === 'string') {
    return value.entries.find(([name]) => name === key)?.[1] ?? null;
  }
  if (isList(value) && typeof key === 'bigint') {
    if (key < 0n || key >= BigInt(value.length)) {
      throw new OttlValueError(`a list of ${value.length} has no element ${key}`);
    }
    return value[Number(key)] ?? null;
  }
  if (value === null) {
    return null;
  }
  throw new OttlValueError(`${describe(value)} has no part named by ${describe(key)}`);
}

function withPart(whole: Value, path: readonly Value[], value: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) {
    return storable(value);
  }
  if (typeof key === 'string' && (whole === null || isMap(whole))) {
    const entries = whole === null ? [] : whole.entries;
    const at = entries.findIndex(([name]) => name === key);
    const part = storable(withPart(entries[at]?.[1] ?? null, rest, value));
    return { entries: at < 0 ? [...entries, [key, part]] : entries.with(at, [key, part]) };
  }
  if (typeof key === 'bigint' && isList(whole) && key >= 0n && key < BigInt(whole.length)) {
    const at = Number(key);
    return whole.with(at, storable(withPart(whole[at] ?? null, rest, value)));
  }
  throw new OttlValueError(`${describe(whole)} has no part named by ${describe(key)} to set`);
}
