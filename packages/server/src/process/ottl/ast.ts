/** What every node knows: the place of its first character in the statement. */
interface Node {
  readonly position: number;
}

export type LiteralValue = null | string | boolean | bigint | number | Uint8Array;

/** A string, number, boolean, `nil` or bytes as written. */
export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: LiteralValue;
}

/** `SPAN_KIND_SERVER`, or the name of a converter that is handed to a function. */
export interface EnumName extends Node {
  readonly kind: 'enum';
  readonly name: string;
}

/** `span.attributes["key"]["nested"][0]`. */
export interface Path extends Node {
  readonly kind: 'path';
  readonly names: readonly string[];
  readonly keys: readonly Expression[];
}

/** `Split(name, "/")[1]`, or the editor of a statement. */
export interface Call extends Node {
  readonly kind: 'call';
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly keys: readonly Expression[];
}

export interface Argument extends Node {
  /** Null: by its place. */
  readonly name: string | null;
  readonly value: Expression;
}

export interface List extends Node {
  readonly kind: 'list';
  readonly values: readonly Expression[];
}

export interface MapLiteral extends Node {
  readonly kind: 'map';
  readonly entries: readonly (readonly [key: string, value: Expression])[];
}

export interface Arithmetic extends Node {
  readonly kind: 'arithmetic';
  readonly operator: '+' | '-' | '*' | '/';
  readonly left: Expression;
  readonly right: Expression;
}

export type Expression = Literal | EnumName | Path | Call | List | MapLiteral | Arithmetic;

export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface Comparison extends Node {
  readonly kind: 'comparison';
  readonly comparator: Comparator;
  readonly left: Expression;
  readonly right: Expression;
}

/** A boolean as such: `true`, or a converter that gives one. */
export interface Truth extends Node {
  readonly kind: 'truth';
  readonly value: Expression;
}

export interface Not extends Node {
  readonly kind: 'not';
  readonly condition: Condition;
}

export interface Junction extends Node {
  readonly kind: 'and' | 'or';
  readonly conditions: readonly Condition[];
}

export type Condition = Comparison | Truth | Not | Junction;

/** `set(name, "x") where kind == SPAN_KIND_SERVER`. */
export interface Statement extends Node {
  readonly editor: Call;
  readonly where: Condition | null;
}
