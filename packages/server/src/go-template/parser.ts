import { parseCharacter, parseNumber, parseString } from './constants.ts';
import { lex, type Token } from './lexer.ts';
import type { BranchNode, Command, Operand, ParsedTemplate, Pipeline, TemplateNode } from './nodes.ts';
import { TemplateError } from './template-error.ts';

const MAX_SOURCE_LENGTH = 1 << 16;
const MAX_DEPTH = 100;
const KEYWORDS = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'block', 'template', 'break', 'continue']);

/**
 * Parses the language of Go's `text/template` (https://pkg.go.dev/text/template), in which Prometheus's rules are written.
 * `functions` are the names that may be called. Throws TemplateError with the template's name and the line.
 */
export function parseTemplate(name: string, source: string, functions: ReadonlySet<string>): ParsedTemplate {
  if (source.length > MAX_SOURCE_LENGTH) {
    throw new TemplateError(`template: ${name}: longer than ${MAX_SOURCE_LENGTH} characters`);
  }
  return new Parser(name, source, functions).parse();
}

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #functions: ReadonlySet<string>;
  readonly #definitions = new Map<string, readonly TemplateNode[]>();
  /** Names in scope, innermost last. */
  #variables: string[] = ['$'];
  #at = 0;
  #depth = 0;
  #rangeDepth = 0;

  constructor(name: string, source: string, functions: ReadonlySet<string>) {
    this.#name = name;
    this.#source = source;
    this.#tokens = lex(name, source);
    this.#functions = functions;
  }

  parse(): ParsedTemplate {
    const { nodes, end } = this.#list();
    if (end !== undefined) this.#fail(`unexpected {{${end}}}`);
    return { name: this.#name, body: nodes, definitions: this.#definitions };
  }

  /** Nodes up to the end of the template, or up to `{{end}}` or `{{else`, whose keyword has been read then. */
  #list(): { nodes: TemplateNode[]; end: 'end' | 'else' | undefined } {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`);
    const nodes: TemplateNode[] = [];
    try {
      for (let token = this.#peek(); token; token = this.#peek()) {
        this.#at++;
        if (token.kind === 'text') {
          nodes.push({ kind: 'text', text: token.text });
          continue;
        }
        this.#skipSpace();
        const keyword = this.#keyword();
        if (keyword === 'end' || keyword === 'else') {
          this.#at++;
          if (keyword === 'end') this.#close('end');
          return { nodes, end: keyword };
        }
        const node = keyword === undefined ? this.#action() : this.#control(keyword);
        if (node) nodes.push(node);
      }
      return { nodes, end: undefined };
    } finally {
      this.#depth--;
    }
  }

  #action(): TemplateNode {
    const line = this.#line();
    const pipeline = this.#pipeline('close', false, 'command');
    this.#at++;
    return { kind: 'action', pipeline, line };
  }

  #control(keyword: string): TemplateNode | undefined {
    const line = this.#line();
    this.#at++;
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(keyword, line);
      case 'break':
      case 'continue':
        if (this.#rangeDepth === 0) this.#fail(`{{${keyword}}} outside {{range}}`);
        this.#close(keyword);
        return { kind: keyword, line };
      case 'template':
        return this.#template(line);
      case 'define':
        this.#define();
        return undefined;
      case 'block':
        return this.#block(line);
      default:
        return this.#fail(`unexpected {{${keyword}}}`);
    }
  }

  #branch(kind: 'if' | 'with' | 'range', line: number): BranchNode {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline('close', kind === 'range', kind);
    this.#at++;
    if (kind === 'range') this.#rangeDepth++;
    const { nodes: body, end } = this.#list();
    if (kind === 'range') this.#rangeDepth--;
    let otherwise: readonly TemplateNode[] = [];
    if (end === 'else') otherwise = this.#otherwise(kind);
    else if (end === undefined) this.#fail('unexpected EOF');
    this.#variables.length = scope;
    return { kind, pipeline, body, otherwise, line };
  }

  /** After `{{else`: `}}` and a list, or another `if` or `with` that shares the one `{{end}}`. */
  #otherwise(kind: 'if' | 'with' | 'range'): readonly TemplateNode[] {
    this.#skipSpace();
    const keyword = this.#keyword();
    if (keyword !== undefined && keyword === kind && kind !== 'range') {
      const line = this.#line();
      this.#at++;
      return [this.#branch(kind, line)];
    }
    this.#close('else');
    const { nodes, end } = this.#list();
    if (end === 'else') this.#fail('expected end; found {{else}}');
    if (end === undefined) this.#fail('unexpected EOF');
    return nodes;
  }

  #template(line: number): TemplateNode {
    const name = this.#quotedName('template clause');
    this.#skipSpace();
    const pipeline = this.#peek()?.kind === 'close' ? undefined : this.#pipeline('close', false, 'template clause');
    this.#at++;
    return { kind: 'template', name, pipeline, line };
  }

  #define(): void {
    if (this.#depth > 1) this.#fail('unexpected {{define}}');
    const name = this.#quotedName('define clause');
    this.#close('define clause');
    this.#definitions.set(name, this.#definitionBody());
  }

  #block(line: number): TemplateNode {
    const name = this.#quotedName('block clause');
    this.#skipSpace();
    const pipeline = this.#pipeline('close', false, 'block clause');
    this.#at++;
    this.#definitions.set(name, this.#definitionBody());
    return { kind: 'template', name, pipeline, line };
  }

  #definitionBody(): readonly TemplateNode[] {
    const outer = this.#variables;
    const outerRangeDepth = this.#rangeDepth;
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { nodes, end } = this.#list();
    if (end !== 'end') this.#fail(end === undefined ? 'unexpected EOF' : 'unexpected {{else}}');
    this.#variables = outer;
    this.#rangeDepth = outerRangeDepth;
    return nodes;
  }

  /** Up to `end`, which is not read. */
  #pipeline(end: 'close' | 'rightParenthesis', isRange: boolean, where: string): Pipeline {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`);
    this.#skipSpace();
    const { variables, isAssignment } = this.#declarations(isRange);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token === undefined) return this.#fail('unclosed action');
      if (token.kind === end) break;
      if (commands.length > 0) {
        if (token.kind !== 'pipe') return this.#fail(`unexpected ${describe(token)} in ${where}`);
        this.#at++;
        this.#skipSpace();
      }
      const command = this.#command(where);
      if (commands.length > 0 && isConstant(command.operand)) {
        return this.#fail(`non executable command in pipeline stage ${commands.length + 1}`);
      }
      commands.push(command);
    }
    if (commands.length === 0) this.#fail(`missing value for ${where}`);
    if (!isAssignment) this.#variables.push(...variables);
    this.#depth--;
    return { variables, isAssignment, commands };
  }

  #declarations(isRange: boolean): { variables: string[]; isAssignment: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peek()?.kind === 'variable') {
      variables.push((this.#tokens[this.#at++] as Token).text);
      this.#skipSpace();
      const next = this.#peek()?.kind;
      if (next === 'declare' || next === 'assign') {
        this.#at++;
        const isAssignment = next === 'assign';
        if (isAssignment) for (const name of variables) this.#checkVariable(name);
        return { variables, isAssignment };
      }
      if (next !== 'comma') break;
      if (!isRange || variables.length > 1) this.#fail('too many declarations');
      this.#at++;
      this.#skipSpace();
    }
    this.#at = start; // no declaration: the pipeline starts with a variable's value
    return { variables: [], isAssignment: false };
  }

  #command(where: string): Command {
    const start = this.#peek();
    const line = this.#line();
    const operands = [this.#operand(where)];
    const operandText = this.#textSince(start);
    while (this.#peek()?.kind === 'space') {
      this.#skipSpace();
      const kind = this.#peek()?.kind;
      if (kind === undefined || kind === 'pipe' || kind === 'close' || kind === 'rightParenthesis') break;
      operands.push(this.#operand(where));
    }
    const [operand, ...args] = operands as [Operand, ...Operand[]];
    const at = start === undefined || start.kind === 'text' ? 0 : start.at;
    const column = at - (this.#source.lastIndexOf('\n', at - 1) + 1);
    return { operand, args, place: { line, column, text: this.#textSince(start).trim(), operandText } };
  }

  /** What stands from a token to the one that was read last. */
  #textSince(start: Token | undefined): string {
    const last = this.#tokens[this.#at - 1];
    if (start === undefined || start.kind === 'text' || last === undefined || last.kind === 'text') return '';
    return this.#source.slice(start.at, last.at + last.text.length);
  }

  #operand(where: string): Operand {
    const token = this.#peek();
    if (token === undefined) return this.#fail('unclosed action');
    this.#at++;
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot' };
      case 'field':
        return { kind: 'field', path: [token.text.slice(1), ...this.#path()] };
      case 'variable':
        this.#checkVariable(token.text);
        return { kind: 'variable', name: token.text, path: this.#path() };
      case 'string':
        return { kind: 'constant', value: this.#constant(parseString, token) };
      case 'character':
        return { kind: 'constant', value: this.#constant(parseCharacter, token) };
      case 'number':
        return { kind: 'constant', value: this.#constant(parseNumber, token) };
      case 'leftParenthesis': {
        const pipeline = this.#pipeline('rightParenthesis', false, 'parenthesized pipeline');
        this.#at++;
        return { kind: 'pipeline', pipeline, path: this.#path() };
      }
      case 'word':
        if (token.text === 'nil') return { kind: 'nil' };
        if (token.text === 'true' || token.text === 'false') return { kind: 'constant', value: token.text === 'true' };
        if (KEYWORDS.has(token.text)) return this.#fail(`unexpected <${token.text}> in ${where}`);
        if (!this.#functions.has(token.text)) return this.#fail(`function ${JSON.stringify(token.text)} not defined`);
        return { kind: 'function', name: token.text };
      default:
        return this.#fail(`unexpected ${describe(token)} in ${where}`);
    }
  }

  #path(): string[] {
    const path: string[] = [];
    for (let token = this.#peek(); token?.kind === 'field'; token = this.#peek()) {
      path.push(token.text.slice(1));
      this.#at++;
    }
    return path;
  }

  #constant<Value>(parse: (text: string) => Value | undefined, token: Token): Value {
    return parse(token.text) ?? this.#fail(`bad ${token.kind} syntax: ${token.text}`);
  }

  #quotedName(where: string): string {
    this.#skipSpace();
    const token = this.#peek();
    if (token?.kind !== 'string') return this.#fail(`unexpected ${token ? describe(token) : 'EOF'} in ${where}`);
    this.#at++;
    return this.#constant(parseString, token);
  }

  #close(where: string): void {
    this.#skipSpace();
    const token = this.#peek();
    if (token?.kind !== 'close') this.#fail(`unexpected ${token ? describe(token) : 'EOF'} in ${where}`);
    this.#at++;
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${JSON.stringify(name)}`);
  }

  #keyword(): string | undefined {
    const token = this.#peek();
    return token?.kind === 'word' && KEYWORDS.has(token.text) ? token.text : undefined;
  }

  #skipSpace(): void {
    while (this.#peek()?.kind === 'space') this.#at++;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #line(): number {
    return (this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token | undefined)?.line ?? 1;
  }

  #fail(message: string): never {
    throw new TemplateError(`template: ${this.#name}:${this.#line()}: ${message}`);
  }
}

function describe(token: Token): string {
  return token.kind === 'close' ? '{{end of action}}' : JSON.stringify(token.text);
}

function isConstant({ kind }: Operand): boolean {
  return kind === 'constant' || kind === 'nil' || kind === 'dot';
}
