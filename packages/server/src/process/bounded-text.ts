/** Longest name of a service, operation or peer in rows of `red` and `edges`, in bytes. */
export const MAX_NAME_BYTES = 256;

/** Takes the place of names beyond a limit. */
export const OTHER = '(other)';

/** Text of at most MAX_NAME_BYTES bytes; a character is never cut in two. */
export function boundedText(bytes: Uint8Array, start: number, end: number): string {
  let cut = Math.min(end, start + MAX_NAME_BYTES);
  while (cut < end && cut > start && ((bytes[cut] as number) & 0xc0) === 0x80) {
    cut--;
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, cut - start).toString('utf8');
}
