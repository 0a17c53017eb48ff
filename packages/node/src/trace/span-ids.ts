/**
 * Bytes that become digits at once: making a text is a call into native code, taking a piece of it is not. Small, since an id
 * that is kept keeps the digits that its own are a piece of.
 */
const portionBytes = 480;
const pool = Buffer.allocUnsafeSlow(64 * portionBytes);
/** Where in the pool the portion ends that ids are taken from, and the next id begins. */
let end = pool.length;
let next = pool.length;
let digits = '';

/**
 * An id as texts have it and as it is encoded: reading digits back costs several times what writing four numbers does. Numbers,
 * because bytes of their own would be an object more, and more than 64 of them one outside of the heap.
 */
export interface RandomId {
  /** Hex. */
  readonly text: string;
  /** Its bytes in fours, the first of them in the lowest bits. A span's id has two of these, the others are 0. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
}

/** 16 bytes, never all zero (https://www.w3.org/TR/trace-context/#trace-id). */
export function newTraceId(): RandomId {
  const text = draw(16);
  const at = next - 16;
  return { text, first: firstWord(at), second: word(at + 4), third: word(at + 8), fourth: word(at + 12) };
}

/** 8 bytes, never all zero. */
export function newSpanId(): RandomId {
  const text = draw(8);
  const at = next - 8;
  return { text, first: firstWord(at), second: word(at + 4), third: 0, fourth: 0 };
}

/** The digits of the next `size` bytes, which end at `next` then. */
function draw(size: number): string {
  if (next + size > end) drawPortion();
  const at = portionBytes - (end - next);
  next += size;
  const text = digits.slice(2 * at, 2 * (at + size));
  // The specification forbids zero, which a byte that is never 0 excludes; trace ids keep their last 56 bits random.
  return pool[next - size] === 0 ? `01${text.slice(2)}` : text;
}

function firstWord(at: number): number {
  const bits = word(at);
  return (bits & 255) === 0 ? bits | 1 : bits;
}

function word(at: number): number {
  return (
    (pool[at] as number) |
    ((pool[at + 1] as number) << 8) |
    ((pool[at + 2] as number) << 16) |
    ((pool[at + 3] as number) << 24)
  );
}

let randomFill: ((bytes: Buffer) => unknown) | undefined;

/** Random bytes are drawn in bulk: one call, which takes longer the less often it is made, for more than a thousand ids. */
function drawPortion(): void {
  if (end === pool.length) {
    // Loading it takes milliseconds that the start of a process need not wait for.
    randomFill ??= process.getBuiltinModule('node:crypto').randomFillSync;
    randomFill(pool);
    end = 0;
  }
  digits = pool.toString('hex', end, end + portionBytes);
  next = end;
  end += portionBytes;
}
