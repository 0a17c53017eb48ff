import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyCollector } from './body-collector.ts';
import { CONTENT_ENCODINGS } from './content-encoding.ts';
import { InFlightBytes } from './in-flight-bytes.ts';

function collector(encoding: string, maxBytes = 1_000_000, inFlight = new InFlightBytes(10_000_000)) {
  const createDecompressor = CONTENT_ENCODINGS.get(encoding) ?? null;
  return new BodyCollector({ encoding, createDecompressor, maxBytes, reservation: inFlight.reservation() });
}

describe('BodyCollector', () => {
  it('gives what was sent, however it was cut', async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 3_000, max: 40_000 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom('identity', 'gzip'), async (lengths, encoding) => {
        let next = 0;
        const chunks = lengths.map((length) => Buffer.from(Array.from({ length }, () => next++ % 251)));
        const whole = Buffer.concat(chunks);
        const body = collector(encoding, 10_000_000);
        const sent = encoding === 'gzip' ? [gzipSync(whole)] : chunks;
        for (const chunk of sent) body.write(chunk);
        body.end();
        const collected = await body.body;
        expect(Buffer.from(collected).equals(whole)).toBe(true);
        expect(collected.byteOffset).toBe(0);
        expect(collected.buffer.byteLength).toBe(whole.length);
      }),
      { numRuns: 50 },
    );
  });

  it('accepts exactly the limit', async () => {
    const fits = collector('identity', 100);
    fits.write(Buffer.alloc(60));
    fits.write(Buffer.alloc(40));
    fits.end();
    expect((await fits.body).length).toBe(100);
    const over = collector('identity', 100);
    over.write(Buffer.alloc(60));
    over.write(Buffer.alloc(41));
    await expect(over.body).rejects.toMatchObject({ code: 'too_large' });
  });

  it('stops decompressing at the limit', async () => {
    const inFlight = new InFlightBytes(1_000_000_000);
    const body = collector('gzip', 1_000_000, inFlight);
    body.write(gzipSync(Buffer.alloc(300_000_000)));
    body.end();
    await expect(body.body).rejects.toMatchObject({ code: 'too_large' });
    expect(inFlight.used).toBeLessThanOrEqual(1_000_000);
  });

  it('takes no more from the shared limit than there is', async () => {
    const inFlight = new InFlightBytes(150);
    const first = collector('identity', 1_000, inFlight);
    first.write(Buffer.alloc(100));
    const second = collector('identity', 1_000, inFlight);
    second.write(Buffer.alloc(51));
    await expect(second.body).rejects.toMatchObject({ code: 'resource_exhausted', retryAfterMs: 1_000 });
    expect(inFlight.used).toBe(100);
  });

  it.each([
    ['not gzip at all', Buffer.from('{"key": "value"}'), 'gzip: invalid header'],
    ['cut off', gzipSync('x'.repeat(1_000)).subarray(0, 20), 'gzip: unexpected end of file'],
    ['empty', Buffer.alloc(0), 'gzip: unexpected end of file'],
  ])('refuses gzip that is %s', async (_what, bytes, message) => {
    const body = collector('gzip');
    body.write(bytes);
    body.end();
    await expect(body.body).rejects.toMatchObject({ code: 'invalid_argument', message });
  });
});
