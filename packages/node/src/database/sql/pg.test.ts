import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../../testing/otlp-sink.ts';
import { outage } from '../../testing/outage.ts';
import { type PeerServer, postgresPrograms, startPostgres } from '../../testing/peer-server.ts';
import { missing, registry, violations } from '../../testing/registry.ts';

const hasPostgres = postgresPrograms() !== undefined;
const client = 3;

const body = `
const tracer = trace.getTracer('app');
const options = { host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' };
const step = (name, run) => tracer.startActiveSpan(name, async (span) => {
  try { return await run(span); } catch {} finally { span.end(); }
});
const callback = (call) => new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));
const run = async () => {
  const pool = new pg.Pool({ ...options, max: 2 });
  await step('create', () => pool.query('DROP TABLE IF EXISTS users; CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE)'));
  await step('insert', () => pool.query('INSERT INTO users (email) VALUES ($1)', ['secret@example.com']));
  await step('select', () => pool.query("SELECT * FROM users WHERE email = 'secret@example.com' OR id = 42"));
  const own = await pool.connect();
  await step('prepared', async () => {
    for (const id of [1, 2]) await own.query({ name: 'by-id', text: 'SELECT email FROM users WHERE id = $1', values: [id] });
  });
  await step('transaction', async () => {
    await own.query('BEGIN');
    await own.query("INSERT INTO users (email) VALUES ('secret-2') RETURNING id");
    await own.query('UPDATE users SET email = NULL WHERE id = $1', [7]);
    await own.query('COMMIT');
  });
  await step('duplicate', () => own.query("INSERT INTO users (email) VALUES ('secret@example.com')"));
  await step('invalid', () => own.query("SELECT 'secret'::int"));
  await step('several', () => own.query('SELECT 1; SELECT 2 UNION SELECT 3'));
  await step('callback', (span) => callback((done) => own.query('SELECT $1::int AS n', [1], (error, result) =>
    done(trace.getActiveSpan() === span ? error : new Error('lost'), result))));
  await step('callback kept', (span) => callback((done) => own.query({ text: 'SELECT 1', callback: (error, result) => {
    if (trace.getActiveSpan() === span) tracer.startSpan('in the callback').end();
    done(error, result);
  } })));
  await step('stream', async () => {
    const rows = [];
    for await (const row of own.query(new QueryStream('SELECT * FROM generate_series(1, 250) AS n'))) rows.push(row);
    console.log('rows=' + rows.length);
  });
  await step('stream that is left', async () => {
    for await (const row of own.query(new QueryStream('SELECT * FROM generate_series(1, 250) AS n', [], { batchSize: 10 }))) break;
  });
  await step('stream that fails', async () => {
    for await (const row of own.query(new QueryStream("SELECT 'secret'::int"))) break;
  });
  await step('cursor', async (span) => {
    const cursor = own.query(new Cursor('SELECT email FROM users WHERE id < $1', [100]));
    await callback((done) => cursor.read(1, (error, rows) => {
      if (trace.getActiveSpan() === span) tracer.startSpan('in the cursor').end();
      done(error, rows);
    }));
    console.log('left=' + (await cursor.read(100)).length);
    await cursor.close();
  });
  await step('cursor that changes', async () => {
    const cursor = own.query(new Cursor("UPDATE users SET email = email WHERE email LIKE 'secret%'"));
    await cursor.read(1);
    await cursor.close();
  });
  await step('query object', (span) => callback((done) => own.query(new pg.Query('DELETE FROM users WHERE id > $1', [1], (error, result) => {
    if (trace.getActiveSpan() === span) tracer.startSpan('in the query').end();
    done(error, result);
  }))));
  own.release();
  const narrow = new pg.Pool({ ...options, max: 1 });
  await Promise.all([0, 1, 2, 3].map((n) => step('waiting ' + n, async () => {
    if (n % 2 === 0) return narrow.query('SELECT ' + n);
    await callback((done) => narrow.query('SELECT ' + n, done));
  })));
  await step('unhandled', async () => {
    const failed = new Promise((resolve) => process.once('unhandledRejection', () => resolve(true)));
    void narrow.query('SELECT nothing');
    console.log('unhandled=' + await failed);
  });
  await narrow.end();
  await pool.end();
};
run();
`;

const variants = [
  {
    file: 'app.mjs',
    source: `import pg from 'pg'; import QueryStream from 'pg-query-stream'; import Cursor from 'pg-cursor'; import { trace } from '@opentelemetry/api';${body}`,
  },
  {
    file: 'app.cjs',
    source: `const pg = require('pg'); const QueryStream = require('pg-query-stream'); const Cursor = require('pg-cursor'); const { trace } = require('@opentelemetry/api');${body}`,
  },
] as const;

let server: PeerServer;

beforeAll(async () => {
  buildPackage();
  if (hasPostgres) server = await startPostgres();
}, 120_000);
afterAll(() => server?.remove());

describe.skipIf(!hasPostgres).each(variants)(
  'pg and a real PostgreSQL, which must be installed ($file)',
  ({ file, source }) => {
    const sink = new OtlpSink();
    let server: PeerServer;
    let app: App;

    beforeAll(async () => {
      await sink.listen();
      server = await startPostgres();
      app = new App({ file, source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) } });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe('');
    }, 60_000);

    afterAll(async () => {
      await server.remove();
      await sink.close();
    });

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
        'db.system.name': 'postgresql',
        'db.namespace': 'postgres',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'users',
        'db.query.text': 'SELECT * FROM users WHERE email = ? OR id = ?',
        'db.query.summary': 'SELECT users',
        'db.response.returned_rows': 1,
        'server.address': '127.0.0.1',
        'server.port': server.port,
      });
      expect(statement('insert').attributes['db.query.text']).toBe('INSERT INTO users (email) VALUES ($1)');
    });

    test('prepared statements, transactions and several statements at once', () => {
      expect(under('prepared').map(({ name, attributes }) => [name, attributes['db.response.returned_rows']])).toEqual([
        ['SELECT users', 1],
        ['SELECT users', 0],
      ]);
      expect(under('transaction').map(({ name }) => name)).toEqual(['BEGIN', 'INSERT users', 'UPDATE users', 'COMMIT']);
      expect(statement('several')).toMatchObject({
        name: 'SELECT SELECT SELECT',
        attributes: { 'db.response.returned_rows': 3 },
      });
    });

    test('an error has its SQLSTATE, and no value', () => {
      expect(statement('duplicate')).toMatchObject({
        status: { code: 2, message: 'duplicate key value violates unique constraint ?' },
        attributes: { 'db.response.status_code': '23505', 'error.type': '23505' },
      });
      expect(statement('invalid')).toMatchObject({
        status: { code: 2, message: 'invalid input syntax for type integer: ?' },
        attributes: { 'error.type': '22P02' },
      });
      expect(
        JSON.stringify(sink.spans.map(({ attributes, status, events }) => [attributes, status, events])),
      ).not.toContain('secret');
    });

    test('callbacks run in the context of their caller, and what waits for a pool stays in its trace', () => {
      expect(statement('callback').status.code).toBe(0);
      expect(sink.span('in the callback').parentSpanId).toBe(sink.span('callback kept').spanId);
      expect(statement('callback kept').attributes['db.response.returned_rows']).toBe(1);
      for (const n of [0, 1, 2, 3]) expect(under(`waiting ${n}`).map(({ name }) => name)).toEqual(['SELECT']);
    });

    test('streams, cursors and query objects are statements, over when the server is ready for the next', () => {
      const rows = (name: string) =>
        under(name).map((span) => [span.name, span.attributes['db.response.returned_rows']]);
      expect(app.stdout).toContain('rows=250');
      expect(rows('stream')).toEqual([['SELECT', 250]]);
      expect(rows('stream that is left')).toEqual([['SELECT', expect.any(Number)]]);
      // What was asked for before it was left, at least one batch, and not all.
      const left = Number(statement('stream that is left').attributes['db.response.returned_rows']);
      expect(left % 10).toBe(0);
      expect(left).toBeLessThan(250);
      expect(statement('stream that fails')).toMatchObject({
        status: { code: 2 },
        attributes: { 'error.type': '22P02' },
      });
      expect(app.stdout).toContain('left=1');
      expect(rows('cursor')).toEqual([['SELECT users', 2]]);
      expect(statement('cursor').attributes['db.query.text']).toBe('SELECT email FROM users WHERE id < $1');
      expect(statement('cursor that changes').attributes['sql.rows_affected']).toBe(2);
      expect(statement('query object')).toMatchObject({ name: 'DELETE users', attributes: { 'sql.rows_affected': 1 } });
      expect(sink.span('in the cursor').parentSpanId).toBe(sink.span('cursor').spanId);
      expect(sink.span('in the query').parentSpanId).toBe(sink.span('query object').spanId);
    });

    test('what a statement changed is counted, and rejections that nobody handles stay such', () => {
      const affected = (name: string) => under(name).map(({ attributes }) => attributes['sql.rows_affected']);
      expect(affected('insert')).toEqual([1]);
      expect(affected('transaction')).toEqual([undefined, 1, 0, undefined]);
      expect(affected('select')).toEqual([undefined]);
      expect(app.stdout).toContain('unhandled=true');
      expect(statement('unhandled').attributes['error.type']).toBe('42703');
    });

    test('operations are counted and timed by kind and result, without those that begin and end a transaction', () => {
      const counted = (op: string, result: string): number => sink.point('sql_ops_total', { op, result }).value;
      // create, insert, update, cursor, query object; the duplicate.
      expect([counted('exec', 'ok'), counted('exec', 'error')]).toEqual([5, 1]);
      // select, prepared ×2, insert returning, several, callbacks ×2, streams ×2, cursor, waiting ×4; invalid ×2 and unhandled.
      expect([counted('query', 'ok'), counted('query', 'error')]).toEqual([14, 3]);
      expect(sink.point('sql_ops_total')).toMatchObject({ type: 'sum', monotonic: true, unit: '{operation}' });
      expect(sink.point('sql_op_duration_seconds', { op: 'query', result: 'ok' })).toMatchObject({
        unit: 's',
        count: 14,
      });
      const attributes = { 'db.operation.name': 'INSERT', 'db.collection.name': 'users', 'error.type': '23505' };
      expect(sink.point('db.client.operation.duration', attributes).count).toBe(1);
    });

    test.skipIf(registry === undefined)(
      'emits only what the registry of conventions knows (needs the conformance data)',
      () => {
        if (registry === undefined) throw new Error('skipped');
        for (const { attributes } of sink.spans.filter(({ kind }) => kind === client)) {
          const { 'sql.rows_affected': _, ...conventional } = attributes;
          expect(violations(conventional, registry)).toEqual([]);
          expect(missing('span.db.postgresql.client', attributes, registry)).toEqual([]);
        }
      },
    );
  },
);

test.skipIf(!hasPostgres)(
  'a statement that the end of the process cuts off has its span and its count, as failed (PostgreSQL must be installed)',
  async () => {
    const sink = await new OtlpSink().listen();
    const source = `import pg from 'pg'; import { trace } from '@opentelemetry/api';
    const pool = new pg.Pool({ host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' });
    const tracer = trace.getTracer('app');
    await tracer.startActiveSpan('before', async (span) => { await pool.query('SELECT 1'); span.end(); });
    tracer.startActiveSpan('cut off', (span) => { void pool.query('SELECT pg_sleep(60)'); span.end(); });
    setTimeout(() => process.exit(0), 50);`;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) };
    const app = new App({ file: 'app.mjs', source, env });
    try {
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    } finally {
      await sink.close();
    }
    const { spanId } = sink.span('cut off');
    expect(sink.spans.filter(({ kind, parentSpanId }) => kind === client && parentSpanId === spanId)).toMatchObject([
      {
        name: 'SELECT',
        status: { code: 2, message: 'the process ended before it was done' },
        attributes: { 'error.type': 'process_exit', 'db.query.text': 'SELECT pg_sleep(?)' },
      },
    ]);
    expect(sink.point('db.client.operation.duration', { 'error.type': 'process_exit' }).count).toBe(1);
    // What was done before is done once.
    expect(sink.spans.filter(({ kind, status }) => kind === client && status.code === 2)).toHaveLength(1);
  },
);

test.skipIf(!hasPostgres)(
  'a PostgreSQL that goes away shows as failures, and its end (it must be installed)',
  async () => {
    const sink = await new OtlpSink().listen();
    const source = `import http from 'node:http'; import pg from 'pg';
    const pool = new pg.Pool({ host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' });
    pool.on('error', () => {});
    http.createServer((request, response) => pool.query('SELECT 1').then(() => response.end(), () => response.writeHead(503).end()))
      .listen(0, '127.0.0.1', function () { console.log('port=' + this.address().port); });`;
    const app = new App({
      file: 'app.mjs',
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
    });
    try {
      expect(await outage(app, server, 'SIGQUIT')).toEqual([200, 503, 200]);
      await app.stop();
    } finally {
      app.process.kill('SIGKILL');
      await server.remove();
      await sink.close();
    }
    const failed = sink.spans.filter(({ kind, status }) => kind === client && status.code === 2);
    expect(failed.map(({ name }) => name)).toContain('CONNECT postgres');
    expect(failed.map(({ attributes }) => attributes['error.type'])).toContain('ECONNREFUSED');
    const refused = { 'db.operation.name': 'CONNECT', 'error.type': 'ECONNREFUSED' };
    expect(sink.point('db.client.operation.duration', refused).count).toBeGreaterThan(0);
    // Whatever is there has the request for a parent that it belongs to.
    const requests = sink.spans.filter(({ kind }) => kind === 2).map(({ spanId }) => spanId);
    for (const { parentSpanId } of sink.spans.filter(({ kind }) => kind === client))
      expect(requests).toContain(parentSpanId);
  },
  60_000,
);
