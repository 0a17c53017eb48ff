import { maxQueryText, readTokens, type SqlDialect, type SqlToken } from './tokens.ts';

/** What a statement is, as far as its text tells. */
export interface SqlStatement {
  /** Without literals and comments. */
  readonly text: string;
  /** The verb it stands for (`SELECT`, `CREATE TABLE` is `CREATE`); undefined where it begins with no word of SQL. */
  readonly operation: string | undefined;
  /** The first table that `operation` names. */
  readonly table: string | undefined;
  /** https://opentelemetry.io/docs/specs/semconv/db/database-spans/#generating-a-summary-of-the-query: all verbs, each with its tables. */
  readonly summary: string;
  /** Whether rows are asked for; undefined for the statements around those of a transaction. */
  readonly kind: 'query' | 'exec' | undefined;
}

const maxSummary = 255;

/** Verbs that a statement may begin with. Others are not named: a statement is the application's, its words are not ours. */
const verbs = new Set(
  `ALTER ANALYZE BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESC DESCRIBE DISCARD DO DROP END EXEC
  EXECUTE EXPLAIN FETCH GRANT INSERT KILL LISTEN LOAD LOCK MERGE NOTIFY OPTIMIZE PRAGMA PREPARE REFRESH REINDEX RELEASE RENAME
  REPLACE RESET REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UPDATE USE VACUUM VALUES`.split(
    /\s+/,
  ),
);
/** Those that name tables of their own wherever they stand. */
const nested = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE']);
const queries = new Set([
  'SELECT',
  'VALUES',
  'TABLE',
  'SHOW',
  'EXPLAIN',
  'PRAGMA',
  'DESC',
  'DESCRIBE',
  'FETCH',
  'CALL',
]);
const transactions = new Set(['BEGIN', 'START', 'COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT', 'RELEASE']);
/** Words after which `UPDATE` and `DELETE` are no verbs: `FOR UPDATE`, `ON DELETE CASCADE`, `DO UPDATE`, `KEY UPDATE`. */
const beforeNoVerb = new Set(['FOR', 'ON', 'DO', 'KEY', 'BEFORE', 'AFTER', 'OR', 'OF']);
/** Words between the one that announces a table and its name. */
const skipped = new Set([
  'ONLY',
  'LATERAL',
  'TABLE',
  'IF',
  'NOT',
  'EXISTS',
  'TEMP',
  'TEMPORARY',
  'UNLOGGED',
  'IGNORE',
  'LOW_PRIORITY',
  'QUICK',
  'DELAYED',
]);
/** Verbs whose table follows them without `FROM` or `INTO`. */
const direct = new Set(['UPDATE', 'TRUNCATE', 'COPY', 'LOCK', 'ANALYZE', 'VACUUM']);
const endsList = new Set([
  'WHERE',
  'GROUP',
  'ORDER',
  'HAVING',
  'LIMIT',
  'SET',
  'ON',
  'USING',
  'RETURNING',
  'VALUES',
  'WINDOW',
  'UNION',
  'EXCEPT',
  'INTERSECT',
]);

interface Verb {
  readonly name: string;
  readonly depth: number;
  readonly tables: string[];
}

/** What an opening bracket begins. */
interface Group {
  /** Whether it holds a statement of its own, in which `FROM` names tables; `extract(year FROM …)` does not. */
  hasVerb: boolean;
  /** Whether a comma leads to another table. */
  inList: boolean;
}

export function readStatement(statement: string, dialect: SqlDialect): SqlStatement {
  const { tokens, sanitized } = readTokens(statement, dialect);
  const found = findVerbs(tokens);
  const main = found.find(({ depth, name }) => depth === 0 && name !== 'WITH');
  const operation = main?.name;
  const isReturning = tokens.some((token) => wordOf(token) === 'RETURNING');
  const kind =
    operation !== undefined && transactions.has(operation)
      ? undefined
      : isReturning || queries.has(operation ?? '')
        ? 'query'
        : 'exec';
  const parts = found.flatMap(({ name, tables }) => [name, ...tables]);
  return { text: sanitized, operation, table: main?.tables[0], summary: shorten(parts), kind };
}

function findVerbs(tokens: readonly SqlToken[]): readonly Verb[] {
  const found: Verb[] = [];
  const withs = new Set<string>();
  const groups: Group[] = [{ hasVerb: false, inList: false }];
  let isStart = true;
  let inWith = false;
  let expectsTable = false;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] as SqlToken;
    const group = groups.at(-1) as Group;
    const word = wordOf(token);
    const before = wordOf(tokens[index - 1]);
    const isCall = tokens[index + 1]?.text === '(';
    if (token.text === '(' && token.kind === 'symbol') {
      groups.push({ hasVerb: false, inList: false });
      expectsTable = false;
    } else if (token.text === ')' && token.kind === 'symbol') {
      if (groups.length > 1) groups.pop();
    } else if (token.text === ';' && token.kind === 'symbol') {
      groups.splice(1);
      groups[0] = { hasVerb: false, inList: false };
      isStart = true;
      expectsTable = false;
    } else if (token.text === ',' && token.kind === 'symbol') {
      if (group.inList) expectsTable = true;
    } else if (isStart && word === 'WITH') {
      isStart = false;
      inWith = true;
    } else if (word !== undefined && startsVerb(word, { isStart, inWith, depth: groups.length - 1, before, isCall })) {
      found.push({ name: word, depth: groups.length - 1, tables: [] });
      if (groups.length === 1) inWith = false;
      isStart = false;
      group.hasVerb = true;
      group.inList = false;
      expectsTable = direct.has(word);
    } else if (inWith && groups.length === 1 && token.kind !== 'symbol' && word !== 'RECURSIVE' && word !== 'AS') {
      withs.add(token.text.toLowerCase());
    } else if (word !== undefined && expectsTable && skipped.has(word)) {
      // `IF NOT EXISTS` and the like stand before the name.
    } else if (word === 'FROM' || word === 'JOIN' || word === 'INTO') {
      const names = group.hasVerb && before !== 'DISTINCT' && !(word === 'INTO' && before === 'SELECT');
      expectsTable = names;
      group.inList = names && word !== 'INTO';
    } else if (word === 'TABLE' && group.hasVerb) {
      expectsTable = true;
    } else if (word !== undefined && endsList.has(word)) {
      group.inList = false;
      expectsTable = false;
    } else if (expectsTable && (token.kind === 'word' || token.kind === 'name')) {
      expectsTable = false;
      const { name, last } = qualifiedName(tokens, index);
      index = last;
      const verb = found.at(-1);
      const isFunction = tokens[last + 1]?.text === '(' && group.inList;
      if (verb !== undefined && !isFunction && !withs.has(name.toLowerCase())) verb.tables.push(name);
    } else if (token.kind !== 'symbol' || token.text !== '(') {
      isStart = false;
    }
  }
  return found;
}

function startsVerb(
  word: string,
  at: { isStart: boolean; inWith: boolean; depth: number; before: string | undefined; isCall: boolean },
): boolean {
  if (at.isStart && at.depth === 0) return verbs.has(word);
  if (word === 'SELECT') return true;
  if (!nested.has(word) || at.isCall || (at.before !== undefined && beforeNoVerb.has(at.before))) return false;
  // Statements inside of others: after `WITH …`, in its brackets, and what is explained or prepared.
  return (
    at.inWith || at.before === undefined || at.before === 'EXPLAIN' || at.before === 'ANALYZE' || at.before === 'AS'
  );
}

/** `schema."Table"` as `schema.Table`. */
function qualifiedName(tokens: readonly SqlToken[], first: number): { name: string; last: number } {
  let name = tokens[first]?.text ?? '';
  let last = first;
  while (
    tokens[last + 1]?.text === '.' &&
    tokens[last + 2]?.kind !== undefined &&
    tokens[last + 2]?.kind !== 'symbol'
  ) {
    name += `.${tokens[last + 2]?.text}`;
    last += 2;
  }
  return { name, last };
}

function wordOf(token: SqlToken | undefined): string | undefined {
  return token?.kind === 'word' ? token.text.toUpperCase() : undefined;
}

/** Whole parts only, so that no name is cut in two. */
function shorten(parts: readonly string[]): string {
  let summary = '';
  for (const part of parts) {
    const longer = summary === '' ? part : `${summary} ${part}`;
    if (longer.length > maxSummary) break;
    summary = longer;
  }
  return summary;
}

const maxCached = 500;

/** Reads each text once: an application has few statements, and executes them often. */
export class StatementCache {
  readonly #dialect: SqlDialect;
  readonly #statements = new Map<string, SqlStatement>();

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  get(text: string): SqlStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = readStatement(text, this.#dialect);
    // Statements with their values in them are all different; long ones are most of that.
    if (text.length <= maxQueryText) {
      for (const oldest of this.#statements.keys()) {
        if (this.#statements.size < maxCached) break;
        this.#statements.delete(oldest);
      }
      this.#statements.set(text, statement);
    }
    return statement;
  }
}
