import type { SqlDialect } from './tokens.ts';

export const postgresDialect: SqlDialect = {
  backslashEscapes: false,
  doubleQuotes: 'name',
  hashComments: false,
  spacedDashComments: false,
  nestedComments: true,
  dollarQuotes: true,
};

/** With its default modes: neither ANSI_QUOTES nor NO_BACKSLASH_ESCAPES. */
export const mysqlDialect: SqlDialect = {
  backslashEscapes: true,
  doubleQuotes: 'text',
  hashComments: true,
  spacedDashComments: true,
  nestedComments: false,
  dollarQuotes: false,
};

export const sqliteDialect: SqlDialect = { ...postgresDialect, nestedComments: false, dollarQuotes: false };
