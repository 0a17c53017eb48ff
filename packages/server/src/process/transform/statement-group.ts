import { OttlCompiler, type OttlDialect } from '../ottl/compile.ts';
import { anyCondition } from '../ottl/conditions.ts';
import type { ContextName } from '../ottl/contexts.ts';
import { type ErrorMode, withErrorMode } from '../ottl/error-mode.ts';
import {
  type InferredContext,
  inferConditionContext,
  inferStatementContext,
  type Signal,
  smallestContext,
} from '../ottl/infer-context.ts';

/** Statements that run one after the other for each record, where one of the conditions holds (if there are any). */
export interface StatementGroup {
  /** Null: to be told from the paths. */
  readonly context: ContextName | null;
  readonly conditions: readonly string[];
  readonly statements: readonly string[];
  readonly errorMode: ErrorMode;
}

/**
 * The groups with their contexts known. Statements of a group without one that work on different things become groups of
 * their own in the same order, so that what changes a resource runs once per resource and not once per span; unless they
 * share a `cache`, which one record's statements have in common. Throws OttlError.
 */
export function resolveContexts(
  signal: Signal,
  groups: readonly StatementGroup[],
): (StatementGroup & { readonly context: ContextName })[] {
  return groups.flatMap((group) => {
    if (group.context !== null) {
      return [{ ...group, context: group.context }];
    }
    const ofConditions = group.conditions.map((text) => inferConditionContext(signal, text));
    const ofStatements = group.statements.map((text) => inferStatementContext(signal, text));
    const inferred: readonly InferredContext[] = [...ofConditions, ...ofStatements];
    if (group.conditions.length > 0 || inferred.some(({ usesCache }) => usesCache)) {
      const context = smallestContext(
        signal,
        inferred.map((each) => each.context),
      );
      return [{ ...group, context }];
    }
    return group.statements.map((statement, i) => ({
      ...group,
      statements: [statement],
      context: (ofStatements[i] as InferredContext).context,
    }));
  });
}

/** What a group does to the record that a cursor is at. Throws OttlError. */
export function compileGroup<Cursor>(
  dialect: OttlDialect<Cursor>,
  { conditions, statements, errorMode }: StatementGroup,
  warn: (message: string) => void,
): (cursor: Cursor) => void {
  const condition = conditions.length === 0 ? null : anyCondition(dialect, conditions, errorMode, warn);
  const compiled = statements.map((text) =>
    withErrorMode(OttlCompiler.statement(dialect, text), undefined, errorMode, text, warn),
  );
  return (cursor) => {
    if (condition === null || condition(cursor)) {
      for (const statement of compiled) {
        statement(cursor);
      }
    }
  };
}
