import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  attributeBool,
  attributeExists,
  attributeInt,
  attributeIsString,
  attributeKeys,
  attributeNumber,
  attributeString,
  attributeText,
} from '../clickhouse/attributes.ts';
import { openStore } from '../open-store.ts';
import type { Store } from '../store.ts';
import { addSpan, BatchWriter } from '../testing/batches.ts';
import { TEST_TARGETS, type TestTarget } from '../testing/test-connections.ts';

const INT = '9223372036854775807';
const KEYS = ['string', 'int', 'double', 'bool', 'empty', 'array', 'none', "k'\\\n"];

describe.each(TEST_TARGETS)('attributes in SQL, %s', (_, make) => {
  let target: TestTarget;
  let store: Store;

  beforeAll(async () => {
    target = await make();
    store = await openStore({ connection: target.options, retentionIntervalMs: 0 });
    const writer = BatchWriter.spans();
    const attributes = [
      ['string', 'text'],
      ['int', BigInt(INT)],
      ['double', -0.5],
      ['bool', false],
      ['empty', ''],
      ['array', { type: 'array', encoded: Buffer.from('2a00', 'hex') }],
      ["k'\\\n", 'v'],
    ] as const;
    const scope = writer.scope(writer.resource(attributes), '');
    addSpan(writer, scope, { name: 'a', start: BigInt(Date.now()) * 1_000_000n, attributes });
    await store.spans.consume(writer.batch);
  });
  afterAll(async () => {
    await store?.shutdown(2_000);
    await target?.dispose();
  });

  const expected = {
    attributeString: ['text', '', '', '', '', '', '', 'v'],
    attributeNumber: [null, 2 ** 63, -0.5, null, null, null, null, null],
    attributeInt: [null, INT, null, null, null, null, null, null],
    attributeBool: [null, null, null, 0, null, null, null, null],
    attributeIsString: [1, 0, 0, 0, 1, 0, 0, 1],
    attributeExists: [1, 1, 1, 1, 1, 1, 0, 1],
    attributeText: ['text', INT, '-0.5', 'false', '', '{"arrayValue":{"values":[]}}', '', 'v'],
  };
  const functions = {
    attributeString,
    attributeNumber,
    attributeInt,
    attributeBool,
    attributeIsString,
    attributeExists,
    attributeText,
  };

  it.each(Object.keys(functions) as (keyof typeof functions)[])('%s', async (name) => {
    for (const [prefix, table] of [
      ['attributes', 'spans'],
      ['resource', 'resources'],
    ] as const) {
      const cells = KEYS.map((_key, index) => functions[name](prefix, `{key${index}:String}`));
      const parameters = Object.fromEntries(KEYS.map((key, index) => [`key${index}`, key]));
      const { rows } = await store.connection.query(`SELECT ${cells.join(', ')} FROM ${table}`, { parameters });
      expect(rows).toEqual([expected[name]]);
      // As a condition, too.
      const condition = `toString(${functions[name](prefix, '{key:String}')}) = {value:String}`;
      const first = expected[name].findIndex((value) => value !== null && value !== '');
      const matching = await store.connection.query(`SELECT 1 FROM ${table} WHERE ${condition}`, {
        parameters: {
          key: KEYS[first],
          value: name === 'attributeNumber' ? '9223372036854776000' : String(expected[name][first]),
        },
      });
      expect(matching.rows).toEqual([[1]]);
    }
  });

  it('attributeKeys', async () => {
    const { rows } = await store.connection.query(`SELECT arraySort(${attributeKeys('attributes')}) FROM spans`);
    expect(rows).toEqual([[KEYS.filter((key) => key !== 'none').sort()]]);
  });
});
