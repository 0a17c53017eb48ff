/** The text cut to at most `most` bytes of UTF-8, never within a character, `marker` included when it was cut. */
export function truncateText(text: string, most: number, marker: string): string {
  // A UTF-16 unit takes one to three bytes.
  if (text.length * 3 <= most) {
    return text;
  }
  const bytes = Buffer.from(text);
  if (bytes.length <= most) {
    return text;
  }
  let end = most - Buffer.byteLength(marker);
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) {
    end--;
  }
  return bytes.toString('utf8', 0, end) + marker;
}
