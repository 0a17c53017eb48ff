/** The parsed form of a template, in the terms of Go's `text/template/parse`. `line` counts from 1. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline; readonly line: number }
  | BranchNode
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined; readonly line: number }
  | { readonly kind: 'break' | 'continue'; readonly line: number };

export interface BranchNode {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipeline: Pipeline;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
  readonly line: number;
}

/** `$a, $b := command | command`; the value of each command is the last argument of the next. */
export interface Pipeline {
  /** Names with their `$`; two only in `range`. */
  readonly variables: readonly string[];
  /** `=`: the variables exist already; `:=`: they are declared here. */
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

/** An operand with its arguments, which only a function or a method takes. */
export interface Command {
  readonly operand: Operand;
  readonly args: readonly Operand[];
  readonly place: CommandPlace;
}

/** Where a command stands, for messages. */
export interface CommandPlace {
  readonly line: number;
  /** Of the first operand, from 0. */
  readonly column: number;
  readonly text: string;
  readonly operandText: string;
}

export type Operand =
  | { readonly kind: 'dot' | 'nil' }
  /** A string, a boolean, a float (`number`) or an integer (`bigint`). */
  | { readonly kind: 'constant'; readonly value: string | boolean | number | bigint }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] };

export interface ParsedTemplate {
  readonly name: string;
  readonly body: readonly TemplateNode[];
  /** The bodies of `define` and `block`, by name. */
  readonly definitions: ReadonlyMap<string, readonly TemplateNode[]>;
}
