/**
 * Bytes that become digits at once: making a text is a call into native code, taking a piece of it is not. Small, since an id
 * that is kept keeps the text that it is a piece of.
 */
const portionBytes = 240;
const pool = Buffer.allocUnsafeSlow(32 * portionBytes);
let position = pool.length;
let digits = '';
let nextDigit = 0;

/** 32 hex digits, never all zero (https://www.w3.org/TR/trace-context/#trace-id). */
export function newTraceId(): string {
  return randomHex(16);
}

/** 16 hex digits, never all zero. */
export function newSpanId(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  const length = bytes * 2;
  if (nextDigit + length > digits.length) {
    digits = randomDigits();
    nextDigit = 0;
  }
  const id = digits.slice(nextDigit, nextDigit + length);
  nextDigit += length;
  // The specification forbids zero, which a byte that is never 0 excludes; trace ids keep their last 56 bits random.
  return id.startsWith('00') ? `01${id.slice(2)}` : id;
}

/** Random bytes are drawn in bulk: one call into the system for hundreds of ids. */
function randomDigits(): string {
  if (position + portionBytes > pool.length) {
    // Loading it takes milliseconds that the start of a process need not wait for.
    process.getBuiltinModule('node:crypto').randomFillSync(pool);
    position = 0;
  }
  position += portionBytes;
  return pool.toString('hex', position - portionBytes, position);
}
