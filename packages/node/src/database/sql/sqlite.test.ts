import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { otherNodes, type TestNode } from '../../testing/nodes.ts';
import { OtlpSink, type SinkSpan } from '../../testing/otlp-sink.ts';
import { missing, registry, violations } from '../../testing/registry.ts';

const client = 3;
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

/** Both libraries need Node 22: better-sqlite3 13 ends the process of an older one. */
const [major = 0] = process.versions.node.split('.').map(Number);
const thisNode: TestNode = {
  name: `Node ${process.versions.node}`,
  execPath: major >= 22 ? process.execPath : undefined,
};
const nodes = [
  thisNode.execPath === undefined ? { ...thisNode, name: `${thisNode.name}, which is older than 22` } : thisNode,
  ...(isFull ? otherNodes() : []),
];

/** `open` makes a database; what follows is the same for both libraries. */
const body = (open: string): string => `
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, (span) => {
  try { return run(span); } catch (error) { console.log(name + ': ' + error.code); } finally { span.end(); }
});
const open = (path, options = {}) => ${open};
const database = open(process.env.FILE);
step('create', () => database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE); PRAGMA user_version = 3'));
const insert = step('prepare', () => database.prepare('INSERT INTO users (email) VALUES (?)'));
step('insert', () => console.log('changes=' + insert.run('secret@example.com').changes));
step('select', () => database.prepare("SELECT * FROM users WHERE email = 'secret@example.com' OR id = 42").all());
step('one', () => database.prepare('SELECT email FROM users WHERE id = ?').get(1));
step('none', () => console.log('none=' + database.prepare('SELECT email FROM users WHERE id = ?').get(7)));
step('read by run', () => database.prepare('UPDATE users SET email = email WHERE id < ?').run(5));
step('returning', () => database.prepare("INSERT INTO users (email) VALUES ('secret-2') RETURNING id").all());
const numbers = database.prepare('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) SELECT i FROM n');
step('iterate', () => { let rows = 0; for (const row of numbers.iterate()) rows += 1; console.log('rows=' + rows); });
step('stop', () => { for (const row of numbers.iterate()) if (row.i === 3) break; });
step('never read', () => { const rows = numbers.iterate(); if (rows.return) rows.return(); });
step('function', () => {
  database.function('double', (n) => { tracer.startSpan('in the function').end(); return n * 2; });
  console.log('double=' + database.prepare('SELECT double(21) AS n').get().n);
});
step('duplicate', () => insert.run('secret@example.com'));
step('no table', () => database.prepare("SELECT 'secret' FROM nowhere"));
step('no parameter', () => database.prepare('SELECT ?').get({}));
step('closed', () => { const other = open(':memory:'); step('memory', () => other.prepare('SELECT 1').get()); other.close(); other.exec('SELECT 1'); });
// Another connection holds the file: first for good, then for a while, then no more.
const other = open(process.env.FILE, { timeout: 50 });
step('locking', () => database.exec('BEGIN IMMEDIATE'));
step('down', () => other.exec('DELETE FROM users'));
step('commit', () => database.exec('COMMIT'));
step('back', () => other.prepare('DELETE FROM users WHERE id = ?').run(2));
`;

const ofNode = `
step('tags', () => {
  if (database.createTagStore === undefined) return;
  const store = database.createTagStore();
  store.all\`SELECT * FROM users WHERE email = \${'secret@example.com'}\`;
  console.log('tags=' + store.get\`SELECT 1 AS n\`.n);
});
`;
const ofBetter = `
step('transaction', () => database.transaction((email) => { insert.run(email); database.transaction(() => insert.run(email + 2))(); })('secret-3'));
step('pragma', () => console.log('pragma=' + database.pragma('user_version', { simple: true })));
`;
const openNode = 'new DatabaseSync(path, options)';
const openBetter = 'new Database(path, options)';

const variants = [
  {
    library: 'node:sqlite',
    file: 'app.mjs',
    source: `import { DatabaseSync } from 'node:sqlite'; import { trace } from '@opentelemetry/api';${body(openNode)}${ofNode}`,
  },
  {
    library: 'node:sqlite',
    file: 'app.cjs',
    source: `const { DatabaseSync } = require('node:sqlite'); const { trace } = require('@opentelemetry/api');${body(openNode)}${ofNode}`,
  },
  {
    library: 'better-sqlite3',
    file: 'app.mjs',
    source: `import Database from 'better-sqlite3'; import { trace } from '@opentelemetry/api';${body(openBetter)}${ofBetter}`,
  },
  {
    library: 'better-sqlite3',
    file: 'app.cjs',
    source: `const Database = require('better-sqlite3'); const { trace } = require('@opentelemetry/api');${body(openBetter)}${ofBetter}`,
  },
] as const;
const cases = nodes.flatMap((node) => variants.map((variant) => ({ ...variant, node, nodeName: node.name })));

beforeAll(buildPackage, 120_000);

for (const { library, file, source, node, nodeName } of cases)
  describe.skipIf(node.execPath === undefined)(`${library}, ${file}, ${nodeName}`, () => {
    const sink = new OtlpSink();
    const isOfNode = library === 'node:sqlite';
    let folder: string;
    let stdout: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'signalbox-sqlite-'));
      await sink.listen();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, FILE: join(folder, 'app.db') };
      const app = new App({ file, source, env, ...(node.execPath !== undefined && { execPath: node.execPath }) });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      // Node's own warning that SQLite is experimental (22) is one, and said once.
      expect(app.stderr.replace(/^.*ExperimentalWarning: SQLite.*\n.*trace-warnings.*\n/, '')).toBe('');
      stdout = app.stdout;
    }, 180_000);
    afterAll(async () => {
      await sink.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const under = (name: string): SinkSpan[] => {
      const { spanId } = sink.span(name);
      return sink.spans.filter((span) => span.kind === client && span.parentSpanId === spanId);
    };
    const statement = (name: string): SinkSpan => {
      const [span] = under(name);
      if (span === undefined) throw new Error(`no statement under ${name}`);
      return span;
    };
    const status = (name: string, number: string): string => (isOfNode ? number : name);

    test('a statement is a client span with operation, table, and the text without its values', () => {
      expect(statement('select')).toMatchObject({ name: 'SELECT users', kind: client, status: { code: 0 } });
      expect(statement('select').attributes).toEqual({
        'db.system.name': 'sqlite',
        'db.namespace': 'app.db',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'users',
        'db.query.text': 'SELECT * FROM users WHERE email = ? OR id = ?',
        'db.query.summary': 'SELECT users',
        'db.response.returned_rows': 1,
      });
      expect(statement('create').attributes).toMatchObject({ 'db.query.summary': 'CREATE users PRAGMA' });
      expect(statement('memory').attributes).not.toHaveProperty('db.namespace');
    });

    test('rows that were read or changed, one by one as well', () => {
      const rows = (name: string) => statement(name).attributes['db.response.returned_rows'];
      const affected = (name: string) => statement(name).attributes['sql.rows_affected'];
      expect([affected('insert'), affected('read by run'), affected('returning')]).toEqual([1, 1, undefined]);
      expect([rows('one'), rows('none'), rows('returning'), rows('iterate'), rows('stop')]).toEqual([1, 0, 1, 250, 3]);
      // Prepared only, and asked for no row.
      expect([under('prepare'), under('never read')]).toEqual([[], []]);
      expect(statement('create').attributes).not.toHaveProperty('sql.rows_affected');
      for (const printed of ['changes=1', 'none=undefined', 'rows=250', 'double=42']) expect(stdout).toContain(printed);
    });

    test('functions of the application run inside of the statement that calls them', () => {
      expect(sink.span('in the function').parentSpanId).toBe(statement('function').spanId);
    });

    test("failures have SQLite's code and no value", () => {
      const unique = status('SQLITE_CONSTRAINT_UNIQUE', '2067');
      expect(statement('duplicate')).toMatchObject({
        name: 'INSERT users',
        status: { code: 2, message: 'UNIQUE constraint failed: users.email' },
        attributes: { 'db.response.status_code': unique, 'error.type': unique },
      });
      expect(statement('no table')).toMatchObject({
        name: 'SELECT nowhere',
        status: { code: 2, message: 'no such table: nowhere' },
        attributes: { 'error.type': status('SQLITE_ERROR', '1'), 'db.query.text': 'SELECT ? FROM nowhere' },
      });
      expect(statement('no parameter').status.code + statement('closed').status.code).toBe(isOfNode ? 2 : 4);
      expect(statement('closed').attributes['error.type']).toBe(isOfNode ? 'ERR_INVALID_STATE' : 'TypeError');
      expect(
        JSON.stringify(sink.spans.map(({ attributes, status, events }) => [attributes, status, events])),
      ).not.toContain('secret');
    });

    test('a database that is locked shows as what it is, and how long it was waited for', () => {
      const { start, end, ...down } = statement('down');
      expect(down).toMatchObject({
        name: 'DELETE users',
        status: { code: 2, message: 'database is locked' },
        attributes: { 'error.type': status('SQLITE_BUSY', '5') },
      });
      // As long as the timeout asks for at least.
      expect(Number(end - start) / 1e6).toBeGreaterThan(25);
      expect(statement('back')).toMatchObject({ status: { code: 0 }, attributes: { 'sql.rows_affected': 1 } });
    });

    test.runIf(isOfNode)('the statements of tag stores are seen, where Node has these', () => {
      if (!stdout.includes('tags=')) return;
      expect(under('tags').map(({ name, attributes }) => [name, attributes['db.query.text']])).toEqual([
        ['SELECT users', 'SELECT * FROM users WHERE email = ?'],
        ['SELECT', 'SELECT ? AS n'],
      ]);
    });

    test.runIf(!isOfNode)('transactions and pragmas are seen, though no call of the application prepares them', () => {
      expect(under('transaction').map(({ name }) => name)).toEqual([
        'BEGIN',
        'INSERT users',
        'SAVEPOINT',
        'INSERT users',
        'RELEASE',
        'COMMIT',
      ]);
      expect(stdout).toContain('pragma=3');
      expect(statement('pragma').name).toBe('PRAGMA');
    });

    test('operations are counted and timed by kind and result, without those that begin and end a transaction', () => {
      const counted = (op: string, result: string): number => sink.point('sql_ops_total', { op, result }).value;
      // create, insert, update, back and, in the transaction, two inserts; the duplicate and the lock.
      expect([counted('exec', 'ok'), counted('exec', 'error')]).toEqual([isOfNode ? 4 : 6, 2]);
      expect(sink.point('sql_op_duration_seconds', { op: 'exec', result: 'error' })).toMatchObject({
        unit: 's',
        count: 2,
      });
      const attributes = { 'db.operation.name': 'INSERT', 'db.collection.name': 'users' };
      const failed = { ...attributes, 'error.type': status('SQLITE_CONSTRAINT_UNIQUE', '2067') };
      expect(sink.point('db.client.operation.duration', failed).count).toBe(1);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === client)) {
          const { 'sql.rows_affected': _, ...conventional } = attributes;
          expect(violations(conventional, registry)).toEqual([]);
          expect(missing('span.db.client', attributes, registry)).toEqual([]);
        }
      },
    );
  });
