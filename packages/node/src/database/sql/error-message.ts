const maxLength = 500;

/** What an error says, with `?` for what it quotes: databases quote the values they refuse (`Duplicate entry 'a@b.c'`). */
export function withoutValues(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .slice(0, maxLength)
    .replaceAll(/'[^']*('|$)/g, '?')
    .replaceAll(/"[^"]*("|$)/g, '?')
    .replaceAll(/`[^`]*(`|$)/g, '?');
}
