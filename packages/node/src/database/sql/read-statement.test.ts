import { describe, expect, test } from 'vitest';
import { mysqlDialect, postgresDialect, sqliteDialect } from './dialects.ts';
import { readStatement, StatementCache } from './read-statement.ts';

/** The examples of https://opentelemetry.io/docs/specs/semconv/db/database-spans/#generating-a-summary-of-the-query come first. */
test.each<[string, string, string | undefined, string | undefined]>([
  ["SELECT * FROM wuser_table WHERE username = 'x'", 'SELECT wuser_table', 'SELECT', 'wuser_table'],
  [
    "INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = 'x'",
    'INSERT shipping_details SELECT orders',
    'INSERT',
    'shipping_details',
  ],
  ['SELECT * FROM songs, artists WHERE songs.artist_id = artists.id', 'SELECT songs artists', 'SELECT', 'songs'],
  [
    "SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.customer_id) WHERE x = 'y'",
    'SELECT SELECT orders customers',
    'SELECT',
    undefined,
  ],
  ['select 1', 'SELECT', 'SELECT', undefined],
  ['UPDATE users SET name = $1 WHERE id = $2', 'UPDATE users', 'UPDATE', 'users'],
  ['DELETE FROM ONLY public.users WHERE id = 1', 'DELETE public.users', 'DELETE', 'public.users'],
  ['INSERT INTO "my schema"."Users" (a) VALUES (1)', 'INSERT my schema.Users', 'INSERT', 'my schema.Users'],
  ['TRUNCATE TABLE a', 'TRUNCATE a', 'TRUNCATE', 'a'],
  ['CREATE TABLE IF NOT EXISTS jobs (id int)', 'CREATE jobs', 'CREATE', 'jobs'],
  ['SELECT extract(year FROM created) FROM t', 'SELECT t', 'SELECT', 't'],
  ['SELECT * FROM generate_series(1, 3) AS n', 'SELECT', 'SELECT', undefined],
  ['SELECT * FROM t WHERE a IS DISTINCT FROM b FOR UPDATE SKIP LOCKED', 'SELECT t', 'SELECT', 't'],
  ['INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a', 'INSERT t', 'INSERT', 't'],
  [
    'WITH recent AS (SELECT id FROM posts) SELECT * FROM recent JOIN users u ON u.id = recent.id',
    'SELECT posts SELECT users',
    'SELECT',
    'users',
  ],
  [
    'WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone',
    'DELETE a INSERT b SELECT',
    'INSERT',
    'b',
  ],
  ['SELECT a FROM x UNION ALL SELECT a FROM y', 'SELECT x SELECT y', 'SELECT', 'x'],
  ['EXPLAIN ANALYZE SELECT * FROM t', 'EXPLAIN SELECT t', 'EXPLAIN', undefined],
  ['SELECT 1; UPDATE t SET a = 2', 'SELECT UPDATE t', 'SELECT', undefined],
  ['BEGIN', 'BEGIN', 'BEGIN', undefined],
  ['frobnicate the database', '', undefined, undefined],
  ['', '', undefined, undefined],
])('%s', (statement, summary, operation, table) => {
  expect(readStatement(statement, postgresDialect)).toMatchObject({ summary, operation, table });
});

test.each<[string, 'query' | 'exec' | undefined]>([
  ['SELECT 1', 'query'],
  ['VALUES (1)', 'query'],
  ['SHOW TABLES', 'query'],
  ['WITH x AS (SELECT 1) SELECT * FROM x', 'query'],
  ['INSERT INTO t VALUES (1) RETURNING id', 'query'],
  ['INSERT INTO t VALUES (1)', 'exec'],
  ['WITH x AS (SELECT 1) UPDATE t SET a = 1', 'exec'],
  ['CREATE INDEX i ON t (a)', 'exec'],
  ['START TRANSACTION', undefined],
  ['rollback', undefined],
])('%s is %s', (statement, kind) => expect(readStatement(statement, postgresDialect).kind).toBe(kind));

describe('no literal and no comment is left', () => {
  test.each<[keyof typeof dialects, string, string]>([
    ['postgres', "SELECT 'it''s secret', 12, -1.5e3, .5, 0xff, a1 FROM t2", 'SELECT ?, ?, -?, ?, ?, a1 FROM t2'],
    ['postgres', "SELECT E'a\\'secret', x'ff', $1::text, $tag$secret$tag$, $$secret$$", 'SELECT ?, ?, $1::text, ?, ?'],
    // In PostgreSQL a backslash is a character: the text ends before `, `.
    ['postgres', "SELECT 'a\\', 'secret'", 'SELECT ?, ?'],
    ['mysql', "SELECT 'a\\', secret', \"secret\", `name` # secret", 'SELECT ?, ?, `name`'],
    ['mysql', "SELECT _utf8mb4'secret', N'secret'", 'SELECT ?, ?'],
    // Under NO_BACKSLASH_ESCAPES a backslash is a character there as well; which way leaves no text open tells.
    ['mysql', "INSERT INTO t VALUES ('it\\'s', 1)", 'INSERT INTO t VALUES (?, ?)'],
    ['mysql', "INSERT INTO t VALUES ('a\\', 'secret')", 'INSERT INTO t VALUES (?, ?)'],
    ['mysql', 'INSERT INTO t VALUES ("a\\", "secret")', 'INSERT INTO t VALUES (?, ?)'],
    ['mysql', "INSERT INTO t VALUES ('a\\', 'secret', 'c\\', 'd')", 'INSERT INTO t VALUES (?, ?, ?, ?)'],
    // Both ways could be: what they have in common is shown.
    ['mysql', "INSERT INTO t VALUES ('it\\'s', 'it\\'s')", 'INSERT INTO t VALUES (?…'],
    [
      'postgres',
      'SELECT "a column", 1 -- secret\n FROM t /* secret */ WHERE a = $1',
      'SELECT "a column", ? FROM t WHERE a = $1',
    ],
    // Comments hold comments in PostgreSQL, and not elsewhere.
    ['postgres', 'SELECT 1 /* a /* b */ secret */ FROM t', 'SELECT ? FROM t'],
    ['sqlite', 'SELECT 1 /* a /* b */ FROM t', 'SELECT ? FROM t'],
    ['mysql', 'SELECT 1 /*! STRAIGHT_JOIN secret */ FROM t', 'SELECT ? FROM t'],
    // Without space behind them two dashes are a sum in MySQL.
    ['mysql', 'SELECT 5--3, 1 -- secret\n FROM t --', 'SELECT ?--?, ? FROM t'],
    ['postgres', 'SELECT 5--secret\n FROM t', 'SELECT ? FROM t'],
    // With ANSI_QUOTES double quotes hold names, which shows only where no text can stand.
    [
      'mysql',
      'SELECT "a" FROM "s"."users" u JOIN "roles" ON u.b = "secret" WHERE c IN (SELECT d FROM "e")',
      'SELECT ? FROM "s"."users" u JOIN "roles" ON u.b = ? WHERE c IN (SELECT d FROM "e")',
    ],
    ['mysql', 'INSERT INTO "t" VALUES ("secret")', 'INSERT INTO "t" VALUES (?)'],
    ['mysql', 'UPDATE "t" SET a = "secret"', 'UPDATE "t" SET a = ?'],
    [
      'mysql',
      'SELECT trim(LEADING "s" FROM "secret"), extract(DAY FROM concat("1", "secret")) FROM t WHERE a IS DISTINCT FROM "secret"',
      'SELECT trim(LEADING ? FROM ?), extract(DAY FROM concat(?, ?)) FROM t WHERE a IS DISTINCT FROM ?',
    ],
    ['sqlite', "SELECT ?1, :name, @name, 'secret'", 'SELECT ?1, :name, @name, ?'],
    ['postgres', "SELECT 'secret that never ends", 'SELECT ?'],
    ['postgres', 'SELECT 1 /* secret that never ends', 'SELECT ?'],
    ['postgres', 'SELECT $a$secret that never ends', 'SELECT ?'],
  ])('%s: %s', (dialect, statement, text) => expect(readStatement(statement, dialects[dialect]).text).toBe(text));
  const dialects = { postgres: postgresDialect, mysql: mysqlDialect, sqlite: sqliteDialect };
});

test('tables of MySQL in double quotes are known, as ANSI_QUOTES has them', () => {
  const { table, summary } = readStatement('SELECT * FROM "users" JOIN "roles" ON a = "secret"', mysqlDialect);
  expect([table, summary]).toEqual(['users', 'SELECT users roles']);
});

test('long statements are cut, and quick to read', () => {
  const { text, summary } = readStatement(`INSERT INTO t VALUES ${"('secret', 1), ".repeat(100_000)}`, postgresDialect);
  expect(text.length).toBe(4097);
  expect(text.endsWith('…')).toBe(true);
  expect(text).not.toContain('secret');
  expect(summary).toBe('INSERT t');
  const names = Array.from({ length: 200 }, (_, index) => `table_${index}`);
  const long = readStatement(`SELECT * FROM ${names.join(', ')}`, postgresDialect).summary;
  expect(long.length).toBeLessThanOrEqual(255);
  expect(names).toContain(long.split(' ').at(-1));
});

test('a text is read once, and the cache is bounded', () => {
  const cache = new StatementCache(postgresDialect);
  const first = cache.get('SELECT 1 FROM a');
  expect(cache.get('SELECT 1 FROM a')).toBe(first);
  for (let index = 0; index < 500; index += 1) cache.get(`SELECT ${index} FROM b`);
  expect(cache.get('SELECT 1 FROM a')).not.toBe(first);
});
