import { describe, expect, it } from 'vitest';
import { addSpan, BatchWriter } from '../../testing/batches.ts';
import { KnownKeys } from './known-keys.ts';
import { MAX_BATCH_RESOURCE_BYTES } from './resource-encoder.ts';
import { SpanEncoder } from './span-encoder.ts';
import { TimeBounds } from './time-bounds.ts';

const NOW = 1_790_000_000_000;
const SIX_HOURS = 6n * 3_600_000_000_000n;

/** A resource of `bytes`, with one span in each of so many partitions. */
function spreadOver(partitions: number, bytes: number) {
  const writer = BatchWriter.spans();
  const scope = writer.scope(writer.resource([['padding', 'x'.repeat(bytes)]]), '');
  for (let i = 0n; i < BigInt(partitions); i++) {
    addSpan(writer, scope, { name: 'spread', start: BigInt(NOW) * 1_000_000n - i * SIX_HOURS });
  }
  return writer.batch;
}

describe('the resources of a batch', () => {
  const newEncoder = () => new SpanEncoder(new KnownKeys(1_000), new TimeBounds(() => NOW, 60 * 86_400_000));

  it('are written once for each partition', () => {
    const encoder = newEncoder();
    expect(encoder.append(spreadOver(28, 1_000))).toMatchObject({ rejected: 0 });
    const [resources] = encoder.blocks();
    expect(resources).toMatchObject({ table: 'resources', block: { rows: 28 } });
  });

  it('are refused by name before their copies fill the memory', () => {
    const encoder = newEncoder();
    const batch = spreadOver(200, 8 * 1024 * 1024);
    expect(() => encoder.append(batch)).toThrow(
      expect.objectContaining({
        code: 'too_large',
        retryable: false,
        message: expect.stringMatching(/resource attributes.*each of the \d+ periods of six hours.*128 MiB/),
      }),
    );
    // The copy that reached the limit is the last one made.
    expect(encoder.byteLength).toBeLessThan(MAX_BATCH_RESOURCE_BYTES + 9 * 1024 * 1024);
  });
});
