import type { Value } from '../value.ts';
import type { Arguments } from './arguments.ts';

/** A function of OTTL: editors begin with a small letter, converters with a capital one. */
export interface OttlFunction<Cursor> {
  /** Names in the order of their places; those that end in `?` may be left out. */
  readonly parameters: readonly string[];
  /** Looks at the arguments once, and returns what runs for each record. Throws OttlError. */
  readonly compile: (args: Arguments<Cursor>) => (cursor: Cursor) => Value | undefined;
}

/** Functions by name. */
export type OttlFunctions<Cursor> = ReadonlyMap<string, OttlFunction<Cursor>>;

/** A function that works with whatever its arguments are read from. */
export interface CommonFunction {
  readonly parameters: readonly string[];
  readonly compile: <Cursor>(args: Arguments<Cursor>) => (cursor: Cursor) => Value | undefined;
}

/** A converter of one value. */
export function ofValue(convert: (value: Value) => Value): CommonFunction {
  return {
    parameters: ['value'],
    compile: (args) => {
      const value = args.value('value');
      return (cursor) => convert(value(cursor));
    },
  };
}
