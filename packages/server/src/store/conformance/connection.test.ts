import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection, QueryParameter } from '../connection.ts';
import { openConnection } from '../open-connection.ts';
import { TEST_TARGETS, type TestTarget } from '../testing/test-connections.ts';

const ENDLESS = 'SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))';

describe.each(TEST_TARGETS)('a connection, %s', (_, make) => {
  let target: TestTarget;
  let connection: Connection;

  beforeAll(async () => {
    target = await make();
    connection = await openConnection(target.options);
  });
  afterAll(async () => {
    await connection?.close(2_000);
    await target?.dispose();
  });

  const one = async (sql: string, parameters: Record<string, QueryParameter> = {}): Promise<unknown> =>
    (await connection.query(sql, { parameters })).rows[0]?.[0];

  it('gives names, types and cells that JSON can carry', async () => {
    const result = await connection.query(
      `SELECT toUInt8(1) AS small, toInt64('-9223372036854775808') AS large, 1.5 AS half, nan AS nan, 1 / 0 AS inf, 'a\\nb' AS text,
       [toDateTime64('2020-01-01 00:00:00.123456789', 9, 'UTC')] AS times, map('k', toUInt64(18446744073709551615)) AS map, NULL AS nothing`,
    );
    expect(result.columns.map((column) => column.name)).toEqual(
      'small large half nan inf text times map nothing'.split(' '),
    );
    expect(result.columns[1]).toEqual({ name: 'large', type: 'Int64' });
    expect(result.rows).toEqual([
      [
        1,
        '-9223372036854775808',
        1.5,
        'nan',
        'inf',
        'a\nb',
        ['2020-01-01 00:00:00.123456789'],
        { k: '18446744073709551615' },
        null,
      ],
    ]);
    expect(await connection.query('SELECT 1 AS a WHERE 0')).toEqual({
      columns: [{ name: 'a', type: 'UInt8' }],
      rows: [],
    });
  });

  it('tells of changes of a table, unless others may change it', async () => {
    await connection.command('CREATE TABLE versioned (n UInt8) ENGINE = MergeTree ORDER BY n');
    const before = connection.version('versioned');
    if (before === undefined) return;
    await connection.query('SELECT count() FROM versioned');
    expect(connection.version('versioned')).toBe(before);
    await connection.command('DROP TABLE versioned');
    expect(connection.version('versioned')).not.toBe(before);
  });

  it('gives results as columns, of many blocks and bit by bit', async () => {
    const { rowCount, columns } = await connection.queryColumns(
      `SELECT toUInt8(number % 250) AS small, toUInt32(number) AS medium, toInt32(-number) AS signed, number AS large, toInt64(-number) AS negative,
       if(number = 1, reinterpretAsFloat64(toUInt64(9218868437227405314)), number / 2) AS float, concat('ä', toString(number)) AS text,
       range(toUInt64(number % 3)) AS list, arrayMap(x -> x / 4, range(number % 2)) AS floats
       FROM numbers({count:UInt32}) SETTINGS max_block_size = 1000, max_threads = 1`,
      { parameters: { count: 2_500 }, maxResultRows: 2_500 },
    );
    expect(rowCount).toBe(2_500);
    const { small, medium, signed, large, negative, float, text, list, floats } = columns;
    expect([small, medium, signed].map((column) => (column as Uint8Array)[2_499])).toEqual([249, 2_499, -2_499]);
    expect([large, negative].map((column) => (column as BigInt64Array)[2_499])).toEqual([2_499n, -2_499n]);
    // The bits of Prometheus's stale marker, a NaN of its own.
    const bits = new BigUint64Array((float as Float64Array).buffer);
    expect([(float as Float64Array)[2_499], bits[1]]).toEqual([1_249.5, 0x7ff0000000000002n]);
    expect((text as string[])[2_499]).toBe('ä2499');
    const { offsets, values } = list as { offsets: Uint32Array; values: BigUint64Array };
    expect(Array.from(values.subarray(offsets[2_498], offsets[2_499]))).toEqual([0n, 1n]);
    expect((floats as { offsets: Uint32Array }).offsets[2_500]).toBe(1_250);
    expect(await connection.queryColumns('SELECT 1 AS a WHERE 0')).toMatchObject({ rowCount: 0 });
    await expect(
      connection.queryColumns('SELECT number FROM numbers(11)', { maxResultRows: 10 }),
    ).rejects.toMatchObject({
      code: 'too_large',
    });
  });

  it('hands over any text as a parameter, alone and in arrays', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom(
          '\\',
          "'",
          '"',
          '\n',
          '\t',
          '\r',
          '\0',
          '\b',
          '`',
          ';',
          '{',
          '}',
          '?',
          '%',
          'N',
          'é',
          '😀',
          '[',
          ']',
          ',',
        ),
      }),
      fc.constantFrom(
        "'; DROP TABLE spans; --",
        '\n\nDROP TABLE spans;',
        "\\'; SELECT 1",
        '{x:String}',
        '\\N',
        'NULL',
        '\\x27',
      ),
    );
    await fc.assert(
      fc.asyncProperty(hostile, fc.array(hostile, { maxLength: 4 }), async (text, list) => {
        const { rows } = await connection.query(
          'SELECT hex({text:String}), arrayMap(x -> hex(x), {list:Array(String)})',
          {
            parameters: { text, list },
          },
        );
        const hex = (value: string): string => Buffer.from(value).toString('hex').toUpperCase();
        expect(rows).toEqual([[hex(text), list.map(hex)]]);
      }),
      { numRuns: 150 },
    );
  });

  it('hands over numbers of every size', async () => {
    const { rows } = await connection.query(
      'SELECT {a:Int64}, {b:UInt64}, {c:Float64}, {d:Float64}, {e:Bool}, {f:Array(Int64)}, {g:Nullable(String)}, {h:Array(Array(Float64))}',
      {
        parameters: {
          a: -(2n ** 63n),
          b: 2n ** 64n - 1n,
          c: 1e-300,
          d: Number.POSITIVE_INFINITY,
          e: true,
          f: [1n, -1],
          g: null,
          h: [[1.5], [Number.NaN]],
        },
      },
    );
    expect(rows).toEqual([
      ['-9223372036854775808', '18446744073709551615', 1e-300, 'inf', true, ['1', '-1'], null, [[1.5], ['nan']]],
    ]);
  });

  it('refuses a query whose parameters are not exactly the given ones', async () => {
    await one('SELECT {x:String}', { x: 'old' });
    await expect(one('SELECT {x:String}')).rejects.toMatchObject({ code: 'internal' });
    await expect(one('SELECT 1', { x: 'y' })).rejects.toMatchObject({ code: 'internal' });
  });

  it('does not let a setting or a failure reach the next query', async () => {
    await expect(connection.query('SELECT number FROM numbers(100)', { maxResultRows: 10 })).rejects.toMatchObject({
      code: 'too_large',
    });
    const { rows } = await connection.query('SELECT number FROM numbers(100)');
    expect(rows).toHaveLength(100);
    // Rows of a result that was begun, and then failed.
    await expect(
      connection.query('SELECT throwIf(number = 1000), number FROM numbers(10000) SETTINGS max_block_size = 10'),
    ).rejects.toMatchObject({ code: 'internal' });
    for (let i = 0; i < 5; i++) {
      expect((await connection.query('SELECT 1')).rows).toEqual([[1]]);
    }
    await one('SELECT 1 SETTINGS max_threads = 1, max_block_size = 7');
    expect(await one("SELECT getSetting('max_block_size')")).not.toBe('7');
  });

  it('stops a query when its time is over', async () => {
    const start = performance.now();
    await expect(connection.query(ENDLESS, { maxExecutionMs: 300 })).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('stops a query when its signal aborts, also with parameters, and is free again', async () => {
    const abort = new AbortController();
    const query = connection.query(`${ENDLESS} AND {text:String} != 'b'`, {
      parameters: { text: 'a' },
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 200);
    const start = performance.now();
    await expect(query).rejects.toMatchObject({ code: 'cancelled' });
    // Also the engine has let go of it, or else the only session would be taken.
    expect((await connection.query('SELECT 1')).rows).toEqual([[1]]);
    expect(performance.now() - start).toBeLessThan(3_000);
    await sleep(100);
    expect(
      await one(
        `SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%system.processes%'`,
      ),
    ).toBe('0');
    await expect(connection.query('SELECT 1', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('calls a mistake in the SQL internal and keeps the words of the engine in the cause', async () => {
    const error = await connection.query('SELECT nosuch').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'internal', retryable: false });
    expect(String((error as Error).cause)).toContain('nosuch');
  });

  it('runs commands', async () => {
    await connection.command(
      'CREATE TABLE command_test (a UInt64, b LowCardinality(String)) ENGINE = MergeTree ORDER BY a',
    );
    await connection.command('INSERT INTO command_test SELECT {a:UInt64}, {b:String}', {
      parameters: { a: 5, b: 'x;\n\ny' },
    });
    expect((await connection.query('SELECT * FROM command_test')).rows).toEqual([['5', 'x;\n\ny']]);
    // A block as the Native format's specification has it: columns, rows, then name, type and values of each column.
    const text = '\n\nDROP TABLE command_test;\n';
    await connection.insert('command_test', {
      rows: 1,
      columns: [
        { name: 'a', type: 'UInt64' },
        { name: 'b', type: 'String' },
      ],
      chunks: [
        Buffer.from([2, 1]),
        Buffer.from('\x01a\x06UInt64\x07\0\0\0\0\0\0\0'),
        Buffer.from(`\x01b\x06String${String.fromCharCode(text.length)}${text}`),
      ],
      byteLength: 0,
    });
    expect((await connection.query('SELECT * FROM command_test ORDER BY a')).rows).toEqual([
      ['5', 'x;\n\ny'],
      ['7', text],
    ]);
    await expect(
      connection.insert('command_test', {
        rows: 1,
        columns: [{ name: 'a', type: 'UInt64' }],
        chunks: [Buffer.from('junk')],
        byteLength: 4,
      }),
    ).rejects.toMatchObject({ name: 'SignalboxError' });
  });

  it('has its rows after it was closed and opened again', async () => {
    await connection.close(2_000);
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable' });
    connection = await openConnection(target.options);
    expect((await connection.query('SELECT a FROM command_test ORDER BY a')).rows).toEqual([['5'], ['7']]);
  });

  it('closes in time while a query runs', async () => {
    const query = connection.query(ENDLESS).catch((error: unknown) => error);
    await sleep(200);
    const start = performance.now();
    await connection.close(3_000);
    expect(performance.now() - start).toBeLessThan(2_500);
    expect(await query).toMatchObject({ code: 'cancelled' });
    connection = await openConnection(target.options);
  });
});
