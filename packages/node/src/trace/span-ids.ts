/**
 * Bytes that become digits at once: making a text is a call into native code, taking a piece of it is not. Small, since an id
 * that is kept keeps the portion that it is a piece of.
 */
const portionBytes = 240;
const pool = Buffer.allocUnsafeSlow(32 * portionBytes);
let position = pool.length;
let bytes = new Uint8Array(0);
let digits = '';
let next = 0;

/** An id as texts have it and as it is encoded: reading digits back costs several times what copying bytes does. */
export interface RandomId {
  /** Hex. */
  readonly text: string;
  /** The id is in it, from `at`. */
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** 16 bytes, never all zero (https://www.w3.org/TR/trace-context/#trace-id). */
export function newTraceId(): RandomId {
  return randomId(16);
}

/** 8 bytes, never all zero. */
export function newSpanId(): RandomId {
  return randomId(8);
}

function randomId(size: number): RandomId {
  if (next + size > bytes.length) drawPortion();
  const at = next;
  next += size;
  const text = digits.slice(2 * at, 2 * next);
  // The specification forbids zero, which a byte that is never 0 excludes; trace ids keep their last 56 bits random.
  if (bytes[at] !== 0) return { text, bytes, at };
  bytes[at] = 1;
  return { text: `01${text.slice(2)}`, bytes, at };
}

/** Random bytes are drawn in bulk: one call into the system for hundreds of ids. */
function drawPortion(): void {
  if (position + portionBytes > pool.length) {
    // Loading it takes milliseconds that the start of a process need not wait for.
    process.getBuiltinModule('node:crypto').randomFillSync(pool);
    position = 0;
  }
  digits = pool.toString('hex', position, position + portionBytes);
  // Not by `slice`, which makes a Buffer of a Buffer.
  bytes = new Uint8Array(portionBytes);
  pool.copy(bytes, 0, position, position + portionBytes);
  position += portionBytes;
  next = 0;
}
