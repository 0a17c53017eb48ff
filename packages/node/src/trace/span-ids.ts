const pool = Buffer.allocUnsafeSlow(8192);
let position = pool.length;

/** 32 hex digits, never all zero (https://www.w3.org/TR/trace-context/#trace-id). */
export function newTraceId(): string {
  return randomHex(16);
}

/** 16 hex digits, never all zero. */
export function newSpanId(): string {
  return randomHex(8);
}

/** Random bytes are drawn in bulk: one call into the system for hundreds of ids. */
function randomHex(bytes: number): string {
  if (position + bytes > pool.length) {
    // Loading it takes milliseconds that the start of a process need not wait for.
    process.getBuiltinModule('node:crypto').randomFillSync(pool);
    position = 0;
  }
  // The specification forbids zero, which a byte that is never 0 excludes; trace ids keep their last 56 bits random.
  if (pool[position] === 0) pool[position] = 1;
  const text = pool.toString('hex', position, position + bytes);
  position += bytes;
  return text;
}
