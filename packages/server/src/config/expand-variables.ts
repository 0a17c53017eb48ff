export interface Expansion {
  readonly text: string;
  /** The text was one variable and nothing else. */
  readonly whole: boolean;
  /** Why it can't be expanded. */
  readonly problem?: string;
}

const REFERENCE = /\$\$|\$\{([^{}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Puts environment variables in, as the Collector writes them: `${env:NAME}`, `${env:NAME:-default}` and `${NAME}`; `$$` is
 * a dollar sign. A variable that is not set and has no default is empty.
 */
export function expandVariables(text: string, environment: NodeJS.ProcessEnv): Expansion {
  let problem: string | undefined;
  let references = 0;
  const expanded = text.replaceAll(REFERENCE, (reference, content: string | undefined) => {
    if (content === undefined) {
      return '$';
    }
    references += 1;
    const [, scheme = 'env', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):)?(.*)$/s.exec(content) ?? [];
    if (scheme !== 'env') {
      problem = `${reference}: only variables of the environment are supported, \${env:NAME}`;
      return '';
    }
    const [name = '', ...fallback] = rest.split(':-');
    if (!NAME.test(name)) {
      problem = `${reference}: "${name}" is not the name of an environment variable`;
      return '';
    }
    const value = environment[name];
    return value === undefined || (value === '' && fallback.length > 0) ? fallback.join(':-') : value;
  });
  const whole = references === 1 && /^\$\{[^{}]*\}$/.test(text);
  return problem === undefined ? { text: expanded, whole } : { text: expanded, whole, problem };
}
