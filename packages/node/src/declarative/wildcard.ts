/** Whether text fits one of the schema's patterns, in which `?` is any character and `*` any number of them. */
export function wildcardMatcher(patterns: readonly string[]): (text: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (character) => {
      if (character === '*') return '.*';
      return character === '?' ? '.' : `\\${character}`;
    });
    return new RegExp(`^${source}$`, 's');
  });
  return (text) => expressions.some((expression) => expression.test(text));
}

/** The schema's `IncludeExclude`: all is included unless said, and what is excluded is not whatever includes it. */
export function includeExclude({
  included,
  excluded = [],
}: {
  readonly included?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
}): (text: string) => boolean {
  const isIncluded = included === undefined ? () => true : wildcardMatcher(included);
  const isExcluded = wildcardMatcher(excluded);
  return (text) => isIncluded(text) && !isExcluded(text);
}
