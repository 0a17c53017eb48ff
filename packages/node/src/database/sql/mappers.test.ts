// TypeORM and Prisma bring 300 MB, so they are not among the packages of the tests. SIGNALBOX_MAPPERS names a folder that has
// them: npm install --ignore-scripts typeorm@1 prisma@7 @prisma/client@7 @prisma/adapter-pg@7 pg@8 @opentelemetry/api
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildPackage, registerUrl } from '../../testing/child.ts';
import { OtlpSink } from '../../testing/otlp-sink.ts';
import { type PeerServer, postgresPrograms, startPostgres } from '../../testing/peer-server.ts';

const run = promisify(execFile);
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
const folder = process.env.SIGNALBOX_MAPPERS ?? '';
const has = (name: string): boolean => isFull && folder !== '' && existsSync(join(folder, 'node_modules', name));
const hasPostgres = postgresPrograms() !== undefined;

const steps = `
import { trace } from '@opentelemetry/api';
const tracer = trace.getTracer('app');
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { try { return await run(); } finally { span.end(); } });
const connection = { host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' };
`;

const typeorm = `${steps}
import { DataSource, EntitySchema } from 'typeorm';
const columns = { id: { type: Number, primary: true, generated: true }, email: { type: String } };
const User = new EntitySchema({ name: 'User', tableName: 'users', columns });
const { user: username, ...rest } = connection;
const source = await new DataSource({ type: 'postgres', username, ...rest, entities: [User], synchronize: true }).initialize();
const users = source.getRepository('User');
await step('save and find', async () => { await users.save({ email: 'secret' }); return users.findBy({ email: 'secret' }); });
await step('transaction', () => source.transaction((inside) => inside.getRepository('User').count()));
await step('builder', () => users.createQueryBuilder('u').where('u.email = :email', { email: 'secret' }).getMany());
await step('failure', () => source.query('SELECT * FROM nowhere').catch(() => {}));
await source.destroy();
`;

const prisma = `${steps}
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import generated from './client/index.js';
const pool = new pg.Pool(connection);
await pool.query('CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL)');
await pool.end();
const client = new generated.PrismaClient({ adapter: new PrismaPg(connection) });
await step('save and find', async () => {
  await client.user.create({ data: { email: 'secret' } });
  return client.user.findMany({ where: { email: 'secret' } });
});
await step('transaction', () => client.$transaction((inside) => inside.user.create({ data: { email: 'secret' } })));
await step('raw', () => client.$queryRaw\`SELECT * FROM users WHERE email = \${'secret'}\`);
await step('failure', () => client.$queryRaw\`SELECT * FROM nowhere\`.catch(() => {}));
await client.$disconnect();
`;

const schema = `
generator client {
  provider   = "prisma-client-js"
  engineType = "client"
  output     = "./client"
}
datasource db {
  provider = "postgresql"
}
model User {
  id    Int    @id @default(autoincrement())
  email String
  @@map("users")
}
`;

describe.skipIf(!hasPostgres)(
  'object mappers show what their driver executes (long tier; SIGNALBOX_MAPPERS must name a folder that has them)',
  () => {
    let application: string;
    let server: PeerServer;
    let sink: OtlpSink;

    beforeAll(() => buildPackage());
    beforeEach(async () => {
      // In that folder, so that imports find its packages.
      application = mkdtempSync(join(folder, 'application-'));
      sink = await new OtlpSink().listen();
      server = await startPostgres();
    });
    afterEach(async () => {
      await server.remove();
      await sink.close();
      rmSync(application, { recursive: true, force: true });
    });

    async function execute(source: string): Promise<void> {
      const file = join(application, 'app.mjs');
      writeFileSync(file, source);
      const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) };
      await run(process.execPath, ['--import', registerUrl, file], { env: { PATH: process.env.PATH, ...variables } });
      expect(JSON.stringify(sink.spans.map(({ attributes }) => attributes))).not.toContain('secret');
    }

    /** The statements of a step, without what a new connection asks for. */
    function statements(name: string): string[] {
      const { spanId, traceId } = sink.span(name);
      const below = sink.spans.filter((span) => span.parentSpanId === spanId && !span.name.startsWith('CONNECT'));
      expect(new Set(below.map((span) => span.traceId))).toEqual(new Set([traceId]));
      return below.map((span) => span.name);
    }

    test.skipIf(!has('typeorm'))('TypeORM', async () => {
      await execute(typeorm);
      expect(statements('save and find')).toEqual(['START', 'INSERT users', 'COMMIT', 'SELECT users']);
      expect(statements('transaction')).toEqual(['START', 'SELECT users', 'COMMIT']);
      expect(statements('builder')).toEqual(['SELECT users']);
      expect(sink.span('SELECT nowhere')).toMatchObject({
        status: { code: 2 },
        attributes: { 'db.response.status_code': '42P01' },
      });
    });

    test.skipIf(!has('@prisma/client'))('Prisma with the driver adapter for pg', async () => {
      const path = join(application, 'schema.prisma');
      writeFileSync(path, schema);
      // Generating needs no engine, but asks for one unless it is told where it is.
      const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
      await run(process.execPath, [join(folder, 'node_modules/prisma/build/index.js'), 'generate', '--schema', path], {
        cwd: application,
        env,
      });
      await execute(prisma);
      expect(statements('save and find')).toEqual(['INSERT public.users', 'SELECT public.users']);
      expect(statements('transaction')).toEqual(['BEGIN', 'INSERT public.users', 'COMMIT']);
      expect(statements('raw')).toEqual(['SELECT users']);
      expect(sink.span('SELECT nowhere')).toMatchObject({
        status: { code: 2 },
        attributes: { 'db.response.status_code': '42P01' },
      });
    });
  },
);
