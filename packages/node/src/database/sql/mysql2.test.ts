import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../../testing/otlp-sink.ts';
import { outage } from '../../testing/outage.ts';
import { hasProgram, type PeerServer, startMariadb } from '../../testing/peer-server.ts';
import { missing, registry, violations } from '../../testing/registry.ts';

const hasMariadb = hasProgram('mariadbd');
const client = 3;

const body = `
const tracer = trace.getTracer('app');
const options = { host: '127.0.0.1', port: Number(process.env.PEER), user: 'root', database: 'test' };
const step = (name, run) => tracer.startActiveSpan(name, async (span) => {
  try { return await run(span); } catch {} finally { span.end(); }
});
const callback = (call) => new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));
const run = async () => {
  const pool = mysql.createPool({ ...options, multipleStatements: true });
  const promises = pool.promise();
  await step('create', () => promises.query('CREATE OR REPLACE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, email varchar(99) UNIQUE)'));
  await step('insert', () => promises.query('INSERT INTO users (email) VALUES (?)', ['secret@example.com']));
  await step('select', () => promises.query('SELECT * FROM users WHERE email = "secret@example.com" OR id = 42'));
  await step('prepared', async () => {
    for (const id of [1, 2]) await promises.execute('SELECT email FROM users WHERE id = ?', [id]);
  });
  const own = await promises.getConnection();
  await step('transaction', async () => {
    await own.beginTransaction();
    await own.query('UPDATE users SET email = NULL WHERE id = 7');
    await own.commit();
  });
  await step('duplicate', () => own.query("INSERT INTO users (email) VALUES ('secret@example.com')"));
  await step('several', () => own.query('SELECT 1; SELECT 2 UNION SELECT 3'));
  await step('ansi quotes', async () => {
    await own.query("SET SESSION sql_mode = 'ANSI_QUOTES'");
    await own.query('SELECT "email" FROM "users" WHERE "email" = ?', ['secret']);
    await own.query("SET SESSION sql_mode = DEFAULT");
  });
  own.release();
  await step('callback', (span) => callback((done) => pool.query('SELECT 1', (error, result) => {
    if (trace.getActiveSpan() === span) tracer.startSpan('in the callback').end();
    done(error, result);
  })));
  await step('events', () => new Promise((resolve, reject) =>
    pool.query('SELECT * FROM users').on('error', reject).on('result', () => {}).on('end', resolve)));
  const narrow = mysql.createPool({ ...options, connectionLimit: 1 });
  await Promise.all([0, 1, 2, 3].map((n) => step('waiting ' + n, () =>
    n % 2 === 0 ? narrow.promise().query('SELECT ' + n) : callback((done) => narrow.query('SELECT ' + n, done)))));
  await narrow.promise().end();
  await promises.end();
};
run();
`;

const variants = [
  { file: 'app.mjs', source: `import mysql from 'mysql2'; import { trace } from '@opentelemetry/api';${body}` },
  {
    file: 'app.cjs',
    source: `const mysql = require('mysql2'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

let server: PeerServer;

beforeAll(async () => {
  buildPackage();
  if (hasMariadb) server = await startMariadb();
}, 120_000);
afterAll(() => server?.remove());

describe.skipIf(!hasMariadb).each(variants)(
  'mysql2 and a real MariaDB, which must be installed ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();

    beforeAll(async () => {
      await sink.listen();
      const app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
    }, 60_000);
    afterAll(() => sink.close());

    const under = (name: string): SinkSpan[] => {
      const parent = sink.span(name);
      return sink.spans.filter(
        (span) => span.kind === client && span.parentSpanId === parent.spanId && !span.name.startsWith('CONNECT'),
      );
    };
    const statement = (name: string): SinkSpan => {
      const [span] = under(name);
      if (span === undefined) throw new Error(`no statement under ${name}`);
      return span;
    };

    test('a statement is a client span with operation, table, and the text without its values', () => {
      const span = statement('select');
      expect(span).toMatchObject({ name: 'SELECT users', kind: client, status: { code: 0 } });
      expect(span.attributes).toEqual({
        'db.system.name': 'mysql',
        'db.namespace': 'test',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'users',
        'db.query.text': 'SELECT * FROM users WHERE email = ? OR id = ?',
        'db.query.summary': 'SELECT users',
        'db.response.returned_rows': 1,
        'server.address': '127.0.0.1',
        'server.port': server.port,
      });
    });

    test('prepared statements, transactions, several statements at once, and events', () => {
      expect(under('prepared').map(({ name, attributes }) => [name, attributes['db.response.returned_rows']])).toEqual([
        ['SELECT users', 1],
        ['SELECT users', 0],
      ]);
      expect(under('transaction').map(({ name }) => name)).toEqual(['START', 'UPDATE users', 'COMMIT']);
      const affected = (name: string) => under(name).map(({ attributes }) => attributes['sql.rows_affected']);
      expect([affected('insert'), affected('transaction')]).toEqual([[1], [undefined, 0, undefined]]);
      expect(statement('several').attributes['db.response.returned_rows']).toBe(3);
      expect(under('events').map(({ name, status }) => [name, status.code])).toEqual([['SELECT users', 0]]);
    });

    test('tables in double quotes are known where ANSI_QUOTES makes names of them', () => {
      expect(under('ansi quotes').map(({ name, attributes }) => [name, attributes['db.query.text']])).toEqual([
        ['SET', 'SET SESSION sql_mode = ?'],
        ['SELECT users', 'SELECT ? FROM "users" WHERE ? = ?'],
        ['SET', 'SET SESSION sql_mode = DEFAULT'],
      ]);
    });

    test("an error has the server's number and name, and no value", () => {
      expect(statement('duplicate')).toMatchObject({
        status: { code: 2, message: 'Duplicate entry ? for key ?' },
        attributes: { 'db.response.status_code': '1062', 'error.type': 'ER_DUP_ENTRY' },
      });
      expect(
        JSON.stringify(sink.spans.map(({ attributes, status, events }) => [attributes, status, events])),
      ).not.toContain('secret');
    });

    test('callbacks run in the context of their caller, and what waits for a pool stays in its trace', () => {
      expect(sink.span('in the callback').parentSpanId).toBe(sink.span('callback').spanId);
      for (const n of [0, 1, 2, 3]) expect(under(`waiting ${n}`).map(({ name }) => name)).toEqual(['SELECT']);
    });

    test('operations are counted and timed by kind and result, without those that begin and end a transaction', () => {
      const counted = (op: string, result: string): number => sink.point('sql_ops_total', { op, result }).value;
      // create, insert, update, modes ×2; the duplicate.
      expect([counted('exec', 'ok'), counted('exec', 'error')]).toEqual([5, 1]);
      // select, prepared ×2, several, quotes, callback, events, waiting ×4.
      expect(counted('query', 'ok')).toBe(11);
      expect(sink.point('sql_op_duration_seconds', { op: 'query', result: 'ok' })).toMatchObject({
        unit: 's',
        count: 11,
      });
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === client)) {
          const { 'sql.rows_affected': _, ...conventional } = attributes;
          expect(violations(conventional, registry)).toEqual([]);
          expect(missing('span.db.mysql.client', attributes, registry)).toEqual([]);
        }
      },
    );
  },
);

test.skipIf(!hasMariadb)(
  'a MariaDB that goes away shows as failures, and its end (it must be installed)',
  async () => {
    const sink = await new OtlpSink().listen();
    const source = `import http from 'node:http'; import mysql from 'mysql2/promise';
    const pool = mysql.createPool({ host: '127.0.0.1', port: Number(process.env.PEER), user: 'root', database: 'test' });
    http.createServer((request, response) => pool.query('SELECT 1').then(() => response.end(), () => response.writeHead(503).end()))
      .listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
    const app = new App({
      file: 'app.mjs',
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
    });
    try {
      expect(await outage(app, server, 'SIGTERM')).toEqual([200, 503, 200]);
      await app.stop();
    } finally {
      app.process.kill('SIGKILL');
      await sink.close();
    }
    const failed = sink.spans.filter(({ kind, status }) => kind === client && status.code === 2);
    expect(failed.map(({ name }) => name)).toContain('CONNECT test');
    expect(failed.map(({ attributes }) => attributes['error.type'])).toContain('ECONNREFUSED');
    const requests = sink.spans.filter(({ kind }) => kind === 2).map(({ spanId }) => spanId);
    for (const { parentSpanId } of sink.spans.filter(({ kind }) => kind === client))
      expect(requests).toContain(parentSpanId);
  },
  60_000,
);
