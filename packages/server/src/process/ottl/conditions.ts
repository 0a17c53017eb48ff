import { OttlCompiler, type OttlDialect } from './compile.ts';
import { type ErrorMode, withErrorMode } from './error-mode.ts';

/** True where one of the conditions is (OTTL's components join them with "or"). Throws OttlError. */
export function anyCondition<Cursor>(
  dialect: OttlDialect<Cursor>,
  conditions: readonly string[],
  errorMode: ErrorMode,
  warn: (message: string) => void,
): (cursor: Cursor) => boolean {
  const compiled = conditions.map((text) =>
    withErrorMode(OttlCompiler.condition(dialect, text), false, errorMode, text, warn),
  );
  const [only] = compiled;
  return only !== undefined && compiled.length === 1
    ? only
    : (cursor) => compiled.some((condition) => condition(cursor));
}
