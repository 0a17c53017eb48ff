import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RepeatedFields, type WriteField } from './repeated-fields.ts';
import { ReverseWriter } from './reverse-writer.ts';

const writeField: WriteField = (writer, key, value) => {
  if (value !== undefined) writer.keyValue(1, key, value);
};

const few = fc.constantFrom<unknown>(
  'GET',
  'POST',
  'ü',
  '',
  1,
  2.5,
  -3,
  true,
  undefined,
  Number.NaN,
  -0,
  'x'.repeat(300),
);
const object = fc.record({ method: few, port: few, host: few, status: few }, { requiredKeys: ['port'] });

function plainly(fields: object): Buffer {
  const writer = new ReverseWriter();
  for (const [key, value] of Object.entries(fields).reverse()) if (value !== undefined) writer.keyValue(1, key, value);
  return Buffer.from(writer.written);
}

test('objects are written as without what is kept of others', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('req', 'res'), object), { maxLength: 40 }), (objects) => {
      const repeated = new RepeatedFields(writeField);
      const writer = new ReverseWriter();
      for (const [name, fields] of objects) {
        writer.reset();
        writer.text('before');
        const { length } = writer;
        expect(repeated.write(writer, name, fields)).toBe(true);
        expect(Buffer.from(writer.copy(length))).toEqual(plainly(fields));
      }
    }),
  );
});

test('of what has more in it than plain values, nothing is written', () => {
  const repeated = new RepeatedFields(writeField);
  const writer = new ReverseWriter();
  for (const last of [1, 1, {}, 1, [], null, Symbol('a')]) {
    writer.reset();
    expect(repeated.write(writer, 'req', { first: 'a', last })).toBe(last === 1);
    expect(writer.length).toBe(last === 1 ? plainly({ first: 'a', last }).length : 0);
  }
});

test('each field is read once', () => {
  const repeated = new RepeatedFields(writeField);
  const writer = new ReverseWriter();
  let reads = 0;
  const fields = {
    a: 1,
    get b() {
      reads += 1;
      return reads;
    },
  };
  for (let count = 1; count <= 10; count += 1) {
    writer.reset();
    repeated.write(writer, 'req', fields);
    expect(Buffer.from(writer.written)).toEqual(plainly({ a: 1, b: count }));
  }
});
