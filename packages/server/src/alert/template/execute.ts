import { GoMap, GoStruct, type GoValue, goTypeName, isTrue, printGo } from './go-values.ts';
import type { BranchNode, Command, Operand, ParsedTemplate, Pipeline, TemplateNode } from './nodes.ts';
import { TemplateError } from './template-error.ts';

/** A function that a template may call. It throws TemplateError for arguments that it can't use. */
export type TemplateFunction = (...args: GoValue[]) => GoValue | Promise<GoValue>;

/** What one execution may do: a template that loops ends with an error. */
const MAX_STEPS = 100_000;
const MAX_OUTPUT_LENGTH = 1 << 20;
const MAX_CALL_DEPTH = 100;

/**
 * Executes a parsed template on `data` with the semantics of Go's `text/template` under `missingkey=zero`: returns its text, or
 * throws TemplateError. `and` and `or` evaluate no more of their arguments than they need.
 */
export async function executeTemplate(
  template: ParsedTemplate,
  data: GoValue,
  functions: ReadonlyMap<string, TemplateFunction>,
): Promise<string> {
  const execution = new Execution(template, functions, data);
  await execution.run(template.body, data);
  return execution.output;
}

type Ending = 'break' | 'continue' | undefined;

class Execution {
  output = '';
  readonly #template: ParsedTemplate;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  /** Name and value, innermost last. */
  #variables: { readonly name: string; value: GoValue }[];
  #steps = 0;
  #callDepth = 0;
  #line = 1;

  constructor(template: ParsedTemplate, functions: ReadonlyMap<string, TemplateFunction>, data: GoValue) {
    this.#template = template;
    this.#functions = functions;
    this.#variables = [{ name: '$', value: data }];
  }

  async run(nodes: readonly TemplateNode[], dot: GoValue): Promise<Ending> {
    for (const node of nodes) {
      this.#step();
      if (node.kind === 'text') {
        this.#write(node.text);
        continue;
      }
      this.#line = node.line;
      const ending = await this.#runAction(node, dot);
      if (ending !== undefined) return ending;
    }
    return undefined;
  }

  async #runAction(node: Exclude<TemplateNode, { kind: 'text' }>, dot: GoValue): Promise<Ending> {
    switch (node.kind) {
      case 'action': {
        const value = await this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.#write(printGo(value));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        await this.#call(node.name, node.pipeline && (await this.#pipeline(node.pipeline, dot)));
        return undefined;
      case 'range':
        return await this.#range(node, dot);
      default:
        return await this.#branch(node, dot);
    }
  }

  async #branch(node: BranchNode, dot: GoValue): Promise<Ending> {
    const scope = this.#variables.length;
    const value = await this.#pipeline(node.pipeline, dot);
    const isChosen = isTrue(value);
    const ending = await this.run(
      isChosen ? node.body : node.otherwise,
      isChosen && node.kind === 'with' ? value : dot,
    );
    this.#variables.length = scope;
    return ending;
  }

  async #range(node: BranchNode, dot: GoValue): Promise<Ending> {
    const scope = this.#variables.length;
    const value = await this.#pipeline(node.pipeline, dot);
    const elements = this.#elements(value);
    const declared = this.#variables.slice(-node.pipeline.variables.length);
    for (const [key, element] of elements) {
      this.#step();
      const [first, second] = node.pipeline.variables.length === 0 ? [] : declared;
      if (second) {
        (first as { value: GoValue }).value = key;
        second.value = element;
      } else if (first) first.value = element;
      const inner = this.#variables.length;
      const ending = await this.run(node.body, element);
      this.#variables.length = inner;
      if (ending === 'break') break;
    }
    const ending = elements.length === 0 ? await this.run(node.otherwise, dot) : undefined;
    this.#variables.length = scope;
    return ending;
  }

  #elements(value: GoValue): (readonly [GoValue, GoValue])[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((element: GoValue, index) => [BigInt(index), element]);
    if (value instanceof GoMap) return value.sorted();
    if (typeof value === 'bigint') {
      if (value > BigInt(MAX_STEPS)) this.#fail(`more than ${MAX_STEPS} steps`);
      return Array.from({ length: Math.max(Number(value), 0) }, (_, index) => [BigInt(index), BigInt(index)]);
    }
    return this.#fail(`range can't iterate over ${printGo(value)}`);
  }

  async #call(name: string, dot: GoValue): Promise<void> {
    const body = this.#template.definitions.get(name);
    if (!body) return this.#fail(`template ${JSON.stringify(name)} not defined`);
    if (++this.#callDepth > MAX_CALL_DEPTH) this.#fail('exceeded maximum template depth');
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: dot }];
    await this.run(body, dot);
    this.#variables = outer;
    this.#callDepth--;
  }

  async #pipeline({ variables, isAssignment, commands }: Pipeline, dot: GoValue): Promise<GoValue> {
    let value: GoValue;
    for (const [index, command] of commands.entries()) {
      value = await this.#command(command, dot, index > 0 ? [value] : []);
    }
    for (const name of variables) {
      if (isAssignment)
        (this.#variables.findLast((variable) => variable.name === name) as { value: GoValue }).value = value;
      else this.#variables.push({ name, value });
    }
    return value;
  }

  /** `piped`: what the command before handed on, the last argument. */
  async #command({ operand, args }: Command, dot: GoValue, piped: readonly GoValue[]): Promise<GoValue> {
    this.#step();
    if (operand.kind === 'function') return await this.#callFunction(operand.name, args, dot, piped);
    const path = 'path' in operand ? operand.path : [];
    if (path.length === 0) {
      if (args.length > 0 || piped.length > 0) this.#fail("can't give argument to non-function");
      return await this.#operand(operand, dot);
    }
    let value = await this.#root(operand, dot);
    for (const [index, name] of path.entries()) {
      const given: GoValue[] = [];
      if (index === path.length - 1) {
        for (const arg of args) given.push(await this.#operand(arg, dot));
        given.push(...piped);
      }
      value = this.#field(value, name, given);
    }
    return value;
  }

  async #callFunction(
    name: string,
    args: readonly Operand[],
    dot: GoValue,
    piped: readonly GoValue[],
  ): Promise<GoValue> {
    const stopsAt = name === 'and' ? false : name === 'or' ? true : undefined;
    const values: GoValue[] = [];
    for (const arg of args) {
      const value = await this.#operand(arg, dot);
      if (stopsAt !== undefined && isTrue(value) === stopsAt) return value;
      values.push(value);
    }
    values.push(...piped);
    const run = this.#functions.get(name) as TemplateFunction;
    try {
      return await run(...values);
    } catch (error) {
      if (error instanceof TemplateError) this.#fail(`error calling ${name}: ${error.message}`);
      throw error;
    }
  }

  async #operand(operand: Operand, dot: GoValue): Promise<GoValue> {
    if (operand.kind === 'function') return await this.#callFunction(operand.name, [], dot, []);
    let value = await this.#root(operand, dot);
    if ('path' in operand) for (const name of operand.path) value = this.#field(value, name, []);
    return value;
  }

  /** What an operand's path starts from. */
  async #root(operand: Operand, dot: GoValue): Promise<GoValue> {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'variable':
        return this.#variables.findLast(({ name }) => name === operand.name)?.value;
      case 'pipeline': {
        const scope = this.#variables.length;
        const value = await this.#pipeline(operand.pipeline, dot);
        this.#variables.length = scope;
        return value;
      }
      case 'nil':
        return undefined;
      default:
        return dot;
    }
  }

  #field(value: GoValue, name: string, args: readonly GoValue[]): GoValue {
    if (value instanceof GoStruct) {
      const method = value.methods.get(name);
      if (method) return method(...args);
      if (!value.fields.has(name)) this.#fail(`can't evaluate field ${name} in type ${value.typeName}`);
      if (args.length > 0) this.#fail(`${name} has arguments but cannot be invoked as function`);
      return value.fields.get(name);
    }
    if (args.length > 0) this.#fail(`${name} is not a method but has arguments`);
    if (value instanceof GoMap) return value.get(name);
    if (value === undefined) return undefined;
    return this.#fail(`can't evaluate field ${name} in type ${goTypeName(value)}`);
  }

  #step(): void {
    if (++this.#steps > MAX_STEPS) this.#fail(`more than ${MAX_STEPS} steps`);
  }

  #write(text: string): void {
    this.output += text;
    if (this.output.length > MAX_OUTPUT_LENGTH) this.#fail(`longer than ${MAX_OUTPUT_LENGTH} characters`);
  }

  #fail(message: string): never {
    throw new TemplateError(`template: ${this.#template.name}:${this.#line}: ${message}`);
  }
}
