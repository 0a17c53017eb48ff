import { Regex, RegexError } from '../../regex.ts';
import type { Call, Expression, Path } from '../ast.ts';
import type { Field } from '../field.ts';
import { type OttlError, OttlValueError } from '../ottl-error.ts';
import { describe, type Value } from '../value.ts';

/** What arguments ask of the compiler. */
export interface ArgumentCompiler<Cursor> {
  getter(expression: Expression): (cursor: Cursor) => Value;
  field(path: Path): Field<Cursor>;
  converter(name: string, position: number): (cursor: Cursor, value: Value) => Value;
  error(message: string, position: number): OttlError;
}

/** The arguments of one call, by the names of its parameters. Its methods throw OttlError when an argument is not of the kind asked for. */
export class Arguments<Cursor> {
  readonly #compiler: ArgumentCompiler<Cursor>;
  readonly #call: Call;
  readonly #expressions = new Map<string, Expression>();

  constructor(compiler: ArgumentCompiler<Cursor>, call: Call, parameters: readonly string[]) {
    this.#compiler = compiler;
    this.#call = call;
    const names = parameters.map((parameter) => parameter.replace('?', ''));
    for (const [i, { name, value, position }] of call.arguments.entries()) {
      const parameter = name ?? names[i];
      if (parameter === undefined) {
        throw compiler.error(`${call.name} takes at most ${names.length} arguments`, position);
      }
      if (!names.includes(parameter)) {
        throw compiler.error(`${call.name} has no argument ${parameter} (known: ${names.join(', ')})`, position);
      }
      if (this.#expressions.has(parameter)) {
        throw compiler.error(`the argument ${parameter} is given twice`, position);
      }
      this.#expressions.set(parameter, value);
    }
    const missing = parameters.find((parameter) => !parameter.endsWith('?') && !this.#expressions.has(parameter));
    if (missing !== undefined) {
      throw compiler.error(`${call.name} needs its argument ${missing}`, call.position);
    }
  }

  has(name: string): boolean {
    return this.#expressions.has(name);
  }

  /** Any value. */
  value(name: string): (cursor: Cursor) => Value {
    return this.#compiler.getter(this.#expression(name));
  }

  /** A value that must be a string when the call runs. */
  string(name: string): (cursor: Cursor) => string {
    const get = this.value(name);
    const { name: call } = this.#call;
    return (cursor) => {
      const value = get(cursor);
      if (typeof value !== 'string') {
        throw new OttlValueError(`${call}: ${name} is ${describe(value)}, not a string`);
      }
      return value;
    };
  }

  /** A value that must be an int when the call runs. */
  int(name: string): (cursor: Cursor) => bigint {
    const get = this.value(name);
    const { name: call } = this.#call;
    return (cursor) => {
      const value = get(cursor);
      if (typeof value !== 'bigint') {
        throw new OttlValueError(`${call}: ${name} is ${describe(value)}, not an int`);
      }
      return value;
    };
  }

  /** The elements of a list written in the statement. */
  values(name: string): ((cursor: Cursor) => Value)[] {
    const expression = this.#expression(name);
    if (expression.kind !== 'list') {
      throw this.error(name, 'a list such as ["a", "b"]');
    }
    return expression.values.map((value) => this.#compiler.getter(value));
  }

  /** A text written in the statement. */
  literal(name: string): string {
    const expression = this.#expression(name);
    if (expression.kind !== 'literal' || typeof expression.value !== 'string') {
      throw this.error(name, 'a text in quotes');
    }
    return expression.value;
  }

  /** Texts written in the statement. */
  literals(name: string): string[] {
    const expression = this.#expression(name);
    if (expression.kind !== 'list') {
      throw this.error(name, 'a list of texts in quotes');
    }
    return expression.values.map((value) => {
      if (value.kind !== 'literal' || typeof value.value !== 'string') {
        throw this.error(name, 'a list of texts in quotes');
      }
      return value.value;
    });
  }

  /** A number written in the statement, 0 or more. */
  literalCount(name: string): number {
    const expression = this.#expression(name);
    if (expression.kind !== 'literal' || typeof expression.value !== 'bigint' || expression.value < 0n) {
      throw this.error(name, 'a number from 0');
    }
    return Number(expression.value);
  }

  /** `true` or `false` written in the statement. */
  flag(name: string, fallback: boolean): boolean {
    const expression = this.#expressions.get(name);
    if (expression === undefined) {
      return fallback;
    }
    if (expression.kind !== 'literal' || typeof expression.value !== 'boolean') {
      throw this.error(name, 'true or false');
    }
    return expression.value;
  }

  /** A pattern: written in the statement it is read once, otherwise for each record. */
  regex(name: string): (cursor: Cursor) => Regex {
    const expression = this.#expression(name);
    if (expression.kind === 'literal' && typeof expression.value === 'string') {
      const regex = this.check(name, () => new Regex(expression.value as string));
      return () => regex;
    }
    const get = this.string(name);
    let last: Regex | null = null;
    return (cursor) => {
      const pattern = get(cursor);
      if (last?.pattern !== pattern) {
        try {
          last = new Regex(pattern);
        } catch (error) {
          throw error instanceof RegexError ? new OttlValueError(`${name}: ${error.message}`) : error;
        }
      }
      return last;
    };
  }

  /** Runs `make`; what it finds wrong is wrong with this argument. */
  check<Result>(name: string, make: () => Result): Result {
    try {
      return make();
    } catch (error) {
      if (error instanceof RegexError || error instanceof OttlValueError) {
        throw this.#compiler.error(`${name}: ${error.message}`, this.#expression(name).position);
      }
      throw error;
    }
  }

  /** A place to change. */
  target(name: string): Field<Cursor> & Required<Pick<Field<Cursor>, 'set'>> {
    const expression = this.#expression(name);
    if (expression.kind !== 'path') {
      throw this.error(name, 'a field such as attributes["key"]');
    }
    const field = this.#compiler.field(expression);
    const { set } = field;
    if (set === undefined) {
      throw this.error(name, 'a field that can be changed');
    }
    return { ...field, set };
  }

  /** A converter by its bare name, such as `SHA256`. */
  converter(name: string): (cursor: Cursor, value: Value) => Value {
    const expression = this.#expression(name);
    if (expression.kind !== 'enum') {
      throw this.error(name, 'the name of a converter, such as SHA256');
    }
    return this.#compiler.converter(expression.name, expression.position);
  }

  error(name: string, expected: string): OttlError {
    return this.#compiler.error(`${this.#call.name} needs as ${name} ${expected}`, this.#expression(name).position);
  }

  #expression(name: string): Expression {
    const expression = this.#expressions.get(name);
    if (expression === undefined) {
      throw new Error(`bug: ${this.#call.name} reads an argument ${name} that it does not have`);
    }
    return expression;
  }
}
