import type { Call, Condition, Expression, Path } from './ast.ts';
import type { ContextName } from './contexts.ts';
import { OttlError } from './ottl-error.ts';
import { parseCondition, parseStatement } from './parser.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

/** From the smallest thing to the largest: the first that a path names is the context. */
const CONTEXTS: Readonly<Record<Signal, readonly ContextName[]>> = {
  traces: ['spanevent', 'span', 'scope', 'resource'],
  metrics: ['datapoint', 'metric', 'scope', 'resource'],
  logs: ['log', 'scope', 'resource'],
};
const WITHOUT_PATHS: Readonly<Record<Signal, ContextName>> = { traces: 'span', metrics: 'metric', logs: 'log' };

export interface InferredContext {
  readonly context: ContextName;
  readonly usesCache: boolean;
}

/** What a statement that names no context works on, as its paths tell. Throws OttlError. */
export function inferStatementContext(signal: Signal, text: string): InferredContext {
  const { editor, where } = parseStatement(text);
  return inferred(signal, text, [...pathsOfCall(editor), ...(where === null ? [] : pathsOfCondition(where))]);
}

/** As `inferStatementContext`, of a condition. Throws OttlError. */
export function inferConditionContext(signal: Signal, text: string): InferredContext {
  return inferred(signal, text, pathsOfCondition(parseCondition(text)));
}

/** The smallest of some contexts. */
export function smallestContext(signal: Signal, contexts: readonly ContextName[]): ContextName {
  return CONTEXTS[signal].find((context) => contexts.includes(context)) ?? WITHOUT_PATHS[signal];
}

function inferred(signal: Signal, text: string, paths: readonly Path[]): InferredContext {
  const contexts = paths.map((path) => {
    const first = path.names[0] === 'instrumentation_scope' ? 'scope' : path.names[0];
    const context = CONTEXTS[signal].find((name) => name === first);
    if (context === undefined) {
      const known = CONTEXTS[signal].map((name) => `${name}.`).join(', ');
      const message = `a path without its context (one of ${known}) where none is set by "context"`;
      throw new OttlError(message, text, path.position);
    }
    return context;
  });
  return { context: smallestContext(signal, contexts), usesCache: paths.some(({ names }) => names[1] === 'cache') };
}

function pathsOf(expression: Expression): Path[] {
  switch (expression.kind) {
    case 'path':
      return [expression, ...expression.keys.flatMap(pathsOf)];
    case 'call':
      return pathsOfCall(expression);
    case 'list':
      return expression.values.flatMap(pathsOf);
    case 'map':
      return expression.entries.flatMap(([, value]) => pathsOf(value));
    case 'arithmetic':
      return [...pathsOf(expression.left), ...pathsOf(expression.right)];
    default:
      return [];
  }
}

function pathsOfCall(call: Call): Path[] {
  return [...call.arguments.flatMap(({ value }) => pathsOf(value)), ...call.keys.flatMap(pathsOf)];
}

function pathsOfCondition(condition: Condition): Path[] {
  switch (condition.kind) {
    case 'comparison':
      return [...pathsOf(condition.left), ...pathsOf(condition.right)];
    case 'truth':
      return pathsOf(condition.value);
    case 'not':
      return pathsOfCondition(condition.condition);
    default:
      return condition.conditions.flatMap(pathsOfCondition);
  }
}
