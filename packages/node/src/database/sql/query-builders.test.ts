import { expect, test } from 'vitest';
import { App, buildPackage } from '../../testing/child.ts';
import { otherNodes } from '../../testing/nodes.ts';
import { OtlpSink } from '../../testing/otlp-sink.ts';
import { type PeerServer, postgresPrograms, startPostgres } from '../../testing/peer-server.ts';

const hasPostgres = postgresPrograms() !== undefined;

const source = `
import pg from 'pg';
import { Kysely, PostgresDialect } from 'kysely';
import knex from 'knex';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgTable, serial, text } from 'drizzle-orm/pg-core';
import { eq } from 'drizzle-orm';
import { trace } from '@opentelemetry/api';

const connection = { host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' };
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(); } finally { span.end(); } });

const pool = new pg.Pool(connection);
await pool.query('CREATE TABLE users (id serial PRIMARY KEY, email text)');

const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
await step('kysely', () => kysely.transaction().execute(async (inside) => {
  await inside.insertInto('users').values({ email: 'secret' }).execute();
  return inside.selectFrom('users').selectAll().where('email', '=', 'secret').execute();
}));

const builder = knex({ client: 'pg', connection });
await step('knex', async () => {
  await builder('users').insert({ email: 'secret' });
  return builder('users').where({ email: 'secret' });
});
await builder.destroy();

const users = pgTable('users', { id: serial('id').primaryKey(), email: text('email') });
const database = drizzle(pool);
await step('drizzle', async () => {
  await database.insert(users).values({ email: 'secret' });
  return database.select().from(users).where(eq(users.email, 'secret'));
});
await pool.end();
`;

test.skipIf(!hasPostgres)(
  'Kysely, Knex and Drizzle show what their driver executes (PostgreSQL must be installed)',
  async () => {
    buildPackage();
    const sink = await new OtlpSink().listen();
    const server: PeerServer = await startPostgres();
    try {
      const app = new App({
        file: 'app.mjs',
        source,
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
      });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    } finally {
      await server.remove();
      await sink.close();
    }
    const statements = (name: string): string[] => {
      const { spanId } = sink.span(name);
      return sink.spans
        .filter((span) => span.parentSpanId === spanId && !span.name.startsWith('CONNECT'))
        .map((span) => span.name);
    };
    expect(statements('kysely')).toEqual(['BEGIN', 'INSERT users', 'SELECT users', 'COMMIT']);
    expect(statements('knex').filter((name) => name.endsWith('users'))).toEqual(['INSERT users', 'SELECT users']);
    expect(statements('drizzle')).toEqual(['INSERT users', 'SELECT users']);
    expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
  },
  60_000,
);

const thisNode = { name: `Node ${process.versions.node}`, execPath: process.execPath };
const sqliteNode = [thisNode, ...otherNodes()].find(
  ({ name, execPath }) => execPath !== undefined && Number(/\d+/.exec(name)?.[0]) >= 22,
)?.execPath;

const sqliteSource = `
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import knex from 'knex';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { sqliteTable, integer, text } from 'drizzle-orm/sqlite-core';
import { eq } from 'drizzle-orm';
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(); } finally { span.end(); } });
const database = new Database(':memory:');
database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)');

const kysely = new Kysely({ dialect: new SqliteDialect({ database }) });
await step('kysely', () => kysely.transaction().execute(async (inside) => {
  await inside.insertInto('users').values({ email: 'secret' }).execute();
  return inside.selectFrom('users').selectAll().where('email', '=', 'secret').execute();
}));

const users = sqliteTable('users', { id: integer('id').primaryKey(), email: text('email') });
const orm = drizzle(database);
await step('drizzle', async () => {
  orm.insert(users).values({ email: 'secret' }).run();
  return orm.select().from(users).where(eq(users.email, 'secret')).all();
});

const builder = knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true });
await builder.schema.createTable('users', (table) => { table.increments('id'); table.string('email'); });
await step('knex', async () => {
  await builder('users').insert({ email: 'secret' });
  return builder('users').where({ email: 'secret' });
});
await builder.destroy();
`;

test.skipIf(sqliteNode === undefined)(
  'the same on better-sqlite3 (which needs Node 22, this one or one in SIGNALBOX_TEST_NODES)',
  async () => {
    if (sqliteNode === undefined) throw new Error('skipped');
    buildPackage();
    const sink = await new OtlpSink().listen();
    try {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
      const app = new App({ file: 'app.mjs', source: sqliteSource, env, execPath: sqliteNode });
      expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
    } finally {
      await sink.close();
    }
    const statements = (name: string): string[] => {
      const { spanId } = sink.span(name);
      return sink.spans.filter((span) => span.parentSpanId === spanId).map((span) => span.name);
    };
    expect(statements('kysely')).toEqual(['BEGIN', 'INSERT users', 'SELECT users', 'COMMIT']);
    expect(statements('drizzle')).toEqual(['INSERT users', 'SELECT users']);
    expect(statements('knex')).toEqual(['INSERT users', 'SELECT users']);
    expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
  },
  60_000,
);
