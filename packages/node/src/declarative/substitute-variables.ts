/** What variables are called, and what stands for one that is unset or empty. */
const reference = /^(?:env:)?([a-zA-Z_][a-zA-Z0-9_]*)(?::-([^\n]*))?$/;

/**
 * Puts variables in place of `${NAME}`, `${env:NAME}` and `${NAME:-default}`, and `$` in place of `$$`
 * (https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution). What is put in is
 * not looked at again. Throws a RangeError for `${…}` that is none of these.
 */
export function substituteVariables(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  return text
    .split('$$')
    .map((part) =>
      part.replaceAll(/\$\{([^}]+)\}/g, (whole, content: string) => {
        const match = reference.exec(content);
        if (match === null) throw new RangeError(`${whole} is no reference like \${NAME} or \${NAME:-default}`);
        const [, name = '', fallback = ''] = match;
        const value = variables[name];
        return value === undefined || value === '' ? fallback : value;
      }),
    )
    .join('$');
}
