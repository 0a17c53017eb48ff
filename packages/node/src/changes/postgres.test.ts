import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';
import { type PeerServer, postgresPrograms, startPostgres } from '../testing/peer-server.ts';

const hasPostgres = postgresPrograms() !== undefined;

/** A reader of a logical replication slot, over SQL: what it takes is acknowledged, what it leaves is retained. */
const source = `
import pg from 'pg';
import { observeChanges } from '@signalbox/node';

const client = new pg.Client({ host: '127.0.0.1', port: Number(process.env.PEER), user: 'postgres', database: 'postgres' });
await client.connect();
const changes = observeChanges({ slot: 'orders' });
const retained = async () => {
  const { rows } = await client.query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) AS bytes FROM pg_replication_slots WHERE slot_name = 'orders'");
  const bytes = Number(rows[0].bytes);
  changes.retained(bytes);
  return bytes;
};
const take = async () => {
  const { rows } = await client.query("SELECT data FROM pg_logical_slot_get_changes('orders', NULL, NULL)");
  for (const { data } of rows) if (/^table /.test(data)) changes.received();
  return rows.length;
};

await client.query('CREATE TABLE orders (id int)');
await client.query("SELECT pg_create_logical_replication_slot('orders', 'test_decoding')");
await client.query('INSERT INTO orders SELECT generate_series(1, 3)');
await client.query('UPDATE orders SET id = 9 WHERE id = 1');
console.log('before=' + await retained());
await take();
console.log('after=' + await retained());
await client.query("SELECT pg_drop_replication_slot('orders')");
try {
  await take();
} catch (error) {
  changes.fail(error);
}
await client.end();
`;

describe.skipIf(!hasPostgres)('changes of a real PostgreSQL with logical replication, which must be installed', () => {
  const sink = new OtlpSink();
  let server: PeerServer;
  let app: App;

  beforeAll(async () => {
    buildPackage();
    await sink.listen();
    server = await startPostgres({ wal_level: 'logical' });
    app = new App({
      file: 'app.mjs',
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, PEER: String(server.port) },
    });
    expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  }, 120_000);
  afterAll(async () => {
    await server.remove();
    await sink.close();
  });

  test('are counted, with the log that waits for the reader, and the error that ends it', () => {
    const [before, after] = [/before=(\d+)/, /after=(\d+)/].map((pattern) => Number(pattern.exec(app.stdout)?.[1]));
    expect(before).toBeGreaterThan(after ?? Number.NaN);
    expect(sink.point('cdc_changes_total', { slot: 'orders' }).value).toBe(4);
    expect(sink.point('cdc_retained_wal_bytes', { slot: 'orders' })).toMatchObject({ unit: 'By', value: after });
    expect(sink.point('cdc_errors_total', { slot: 'orders' }).value).toBe(1);
    // PostgreSQL's "undefined object": the slot is gone.
    expect(sink.span('cdc.error').attributes).toMatchObject({ 'cdc.slot': 'orders', 'error.type': '42704' });
  });
});
