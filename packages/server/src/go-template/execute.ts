import { GoMap, GoStruct, type GoValue, goTypeName, isTrue, printGo } from './go-values.ts';
import type { BranchNode, Command, CommandPlace, Operand, ParsedTemplate, Pipeline, TemplateNode } from './nodes.ts';
import { ArgumentCountError, TemplateError } from './template-error.ts';

/** A function that a template may call. It throws TemplateError for arguments that it can't use. */
export type TemplateFunction<Result = GoValue | Promise<GoValue>> = (...args: GoValue[]) => Result;

type TemplateFunctions = ReadonlyMap<string, TemplateFunction>;

/** What one execution may do: a template that loops ends with an error. */
const MAX_STEPS = 100_000;
const MAX_OUTPUT_LENGTH = 1 << 20;
const MAX_CALL_DEPTH = 100;

/** A part of an execution: it hands out what it waits for, and is handed what came of it. */
type Steps<Result> = Generator<Promise<GoValue>, Result, GoValue>;

/**
 * Executes a parsed template on `data` with the semantics of Go's `text/template` under `missingkey=zero`: returns its text, or
 * throws TemplateError. `and` and `or` evaluate no more of their arguments than they need.
 */
export async function executeTemplate(
  template: ParsedTemplate,
  data: GoValue,
  functions: TemplateFunctions,
): Promise<string> {
  const execution = new Execution(template, functions, data);
  const steps = execution.run(template.body, data);
  for (let step = steps.next(); !step.done; ) {
    try {
      step = steps.next(await step.value);
    } catch (error) {
      step = steps.throw(error);
    }
  }
  return execution.output;
}

/** The same at once, with functions that do not make their caller wait. */
export function executeTemplateNow(
  template: ParsedTemplate,
  data: GoValue,
  functions: ReadonlyMap<string, TemplateFunction<GoValue>>,
): string {
  const execution = new Execution(template, functions, data);
  if (!execution.run(template.body, data).next().done) throw new Error('a function of the template waits');
  return execution.output;
}

type Ending = 'break' | 'continue' | undefined;

class Execution {
  output = '';
  readonly #template: ParsedTemplate;
  readonly #functions: TemplateFunctions;
  /** Name and value, innermost last. */
  #variables: { readonly name: string; value: GoValue }[];
  #steps = 0;
  #callDepth = 0;
  #line = 1;
  /** Of the command that is being executed. */
  #place: CommandPlace | undefined;

  constructor(template: ParsedTemplate, functions: TemplateFunctions, data: GoValue) {
    this.#template = template;
    this.#functions = functions;
    this.#variables = [{ name: '$', value: data }];
  }

  *run(nodes: readonly TemplateNode[], dot: GoValue): Steps<Ending> {
    for (const node of nodes) {
      this.#step();
      if (node.kind === 'text') {
        this.#write(node.text);
        continue;
      }
      this.#line = node.line;
      const ending = yield* this.#runAction(node, dot);
      if (ending !== undefined) return ending;
    }
    return undefined;
  }

  *#runAction(node: Exclude<TemplateNode, { kind: 'text' }>, dot: GoValue): Steps<Ending> {
    switch (node.kind) {
      case 'action': {
        const value = yield* this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.#write(printGo(value));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        yield* this.#call(node.name, node.pipeline && (yield* this.#pipeline(node.pipeline, dot)));
        return undefined;
      case 'range':
        return yield* this.#range(node, dot);
      default:
        return yield* this.#branch(node, dot);
    }
  }

  *#branch(node: BranchNode, dot: GoValue): Steps<Ending> {
    const scope = this.#variables.length;
    const value = yield* this.#pipeline(node.pipeline, dot);
    const isChosen = isTrue(value);
    const ending = yield* this.run(
      isChosen ? node.body : node.otherwise,
      isChosen && node.kind === 'with' ? value : dot,
    );
    this.#variables.length = scope;
    return ending;
  }

  *#range(node: BranchNode, dot: GoValue): Steps<Ending> {
    const scope = this.#variables.length;
    const value = yield* this.#pipeline(node.pipeline, dot);
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
      const ending = yield* this.run(node.body, element);
      this.#variables.length = inner;
      if (ending === 'break') break;
    }
    const ending = elements.length === 0 ? yield* this.run(node.otherwise, dot) : undefined;
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

  *#call(name: string, dot: GoValue): Steps<void> {
    const body = this.#template.definitions.get(name);
    if (!body) return this.#fail(`template ${JSON.stringify(name)} not defined`);
    if (++this.#callDepth > MAX_CALL_DEPTH) this.#fail('exceeded maximum template depth');
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: dot }];
    yield* this.run(body, dot);
    this.#variables = outer;
    this.#callDepth--;
  }

  *#pipeline({ variables, isAssignment, commands }: Pipeline, dot: GoValue): Steps<GoValue> {
    let value: GoValue;
    for (const [index, command] of commands.entries()) {
      value = yield* this.#command(command, dot, index > 0 ? [value] : []);
    }
    for (const name of variables) {
      if (isAssignment)
        (this.#variables.findLast((variable) => variable.name === name) as { value: GoValue }).value = value;
      else this.#variables.push({ name, value });
    }
    return value;
  }

  /** `piped`: what the command before handed on, the last argument. */
  *#command({ operand, args, place }: Command, dot: GoValue, piped: readonly GoValue[]): Steps<GoValue> {
    this.#step();
    this.#place = place;
    if (operand.kind === 'function') return yield* this.#callFunction(operand.name, args, dot, piped);
    const path = 'path' in operand ? operand.path : [];
    if (path.length === 0) {
      if (args.length > 0 || piped.length > 0) this.#fail("can't give argument to non-function");
      return yield* this.#operand(operand, dot);
    }
    let value = yield* this.#root(operand, dot);
    for (const [index, name] of path.entries()) {
      const given: GoValue[] = [];
      if (index === path.length - 1) {
        if (args.length > 0 && !(value instanceof GoStruct)) this.#fail(`${name} is not a method but has arguments`);
        for (const arg of args) given.push(yield* this.#operand(arg, dot));
        given.push(...piped);
      }
      value = this.#field(value, name, given);
    }
    return value;
  }

  *#callFunction(name: string, args: readonly Operand[], dot: GoValue, piped: readonly GoValue[]): Steps<GoValue> {
    const place = this.#place;
    const stopsAt = name === 'and' ? false : name === 'or' ? true : undefined;
    const values: GoValue[] = [];
    for (const arg of args) {
      const value = yield* this.#operand(arg, dot);
      if (stopsAt !== undefined && isTrue(value) === stopsAt) return value;
      values.push(value);
    }
    values.push(...piped);
    const run = this.#functions.get(name) as TemplateFunction<GoValue | Promise<GoValue>>;
    try {
      const result = run(...values);
      return result instanceof Promise ? yield result : result;
    } catch (error) {
      this.#place = place;
      if (error instanceof ArgumentCountError) this.#fail(error.message);
      if (error instanceof TemplateError) this.#fail(`error calling ${name}: ${error.message}`, place?.text);
      throw error;
    }
  }

  *#operand(operand: Operand, dot: GoValue): Steps<GoValue> {
    if (operand.kind === 'function') return yield* this.#callFunction(operand.name, [], dot, []);
    let value = yield* this.#root(operand, dot);
    if ('path' in operand) for (const name of operand.path) value = this.#field(value, name, []);
    return value;
  }

  /** What an operand's path starts from. */
  *#root(operand: Operand, dot: GoValue): Steps<GoValue> {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'variable':
        return this.#variables.findLast(({ name }) => name === operand.name)?.value;
      case 'pipeline': {
        const scope = this.#variables.length;
        const value = yield* this.#pipeline(operand.pipeline, dot);
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

  /** @param text the part of the template that is at fault; the first operand of the command unless given */
  #fail(message: string, text = this.#place?.operandText): never {
    const { name } = this.#template;
    const where = this.#place ? `${this.#place.line}:${this.#place.column}` : `${this.#line}`;
    const what = this.#place ? `executing ${JSON.stringify(name)} at <${text}>: ` : '';
    throw new TemplateError(`template: ${name}:${where}: ${what}${message}`);
  }
}
