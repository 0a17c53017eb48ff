import { closeSync, openSync, writev } from 'node:fs';
import { promisify } from 'node:util';

/**
 * Writes a new file.
 * @param sync called with its descriptor when everything is written
 */
export async function writeChunks(
  path: string,
  chunks: readonly Uint8Array[],
  sync?: (descriptor: number) => Promise<void>,
): Promise<void> {
  const descriptor = openSync(path, 'wx');
  try {
    let remaining = chunks.filter((chunk) => chunk.length > 0);
    while (remaining.length > 0) {
      const part = remaining.slice(0, MAX_VECTORS);
      const { bytesWritten } = await writevAsync(descriptor, part);
      remaining = [...skipBytes(part, bytesWritten), ...remaining.slice(MAX_VECTORS)];
    }
    await sync?.(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The chunks without their first `count` bytes, for a write that took only some. */
function skipBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = count;
  for (const chunk of chunks) {
    if (skip < chunk.length) {
      rest.push(chunk.subarray(skip));
    }
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
}

const MAX_VECTORS = 1_000;
const writevAsync = promisify(writev) as (
  descriptor: number,
  chunks: readonly Uint8Array[],
) => Promise<{ bytesWritten: number }>;
