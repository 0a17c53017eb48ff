import { expect, test } from 'vitest';
import { ReverseWriter } from './reverse-writer.ts';

// Protobuf encoding, "Length-Delimited Records": the tag, how many bytes of UTF-8, and these.
test.each(['', 'testing', 'größe', 'aä', '😀', 'x'.repeat(64), `${'x'.repeat(63)}ä`, 'y'.repeat(5_000), '\ud800'])(
  'writes the text %j as UTF-8',
  (text) => {
    const writer = new ReverseWriter();
    writer.text(0x12, text);
    const bytes = Buffer.from(text, 'utf8');
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) | 128, bytes.length >> 7];
    expect(Buffer.from(writer.finish())).toEqual(Buffer.concat([Uint8Array.of(0x12, ...length), bytes]));
  },
);
