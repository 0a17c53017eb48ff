/**
 * 16 hex digits out of a text, never all zero: a span id that is the same whenever the workflow is replayed. Randomness will
 * not do, as whatever draws from a workflow's random numbers changes those that its code gets.
 */
export function spanHash(text: string): string {
  return `${hash(text, 0x811c9dc5)}${hash(text, 0x9e3779b1)}`.replace(/^0{16}$/, '0000000000000001');
}

/** FNV-1a with another start, and mixed at the end so that all digits depend on every letter. */
function hash(text: string, seed: number): string {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
