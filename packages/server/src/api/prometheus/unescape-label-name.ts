/**
 * The label's name that a path names: `U__` in front means that what no classic name can have is written as its code point in
 * hex between underscores, and an underscore as two (Prometheus, "UTF-8 and escaping: values"). Text that was not escaped so
 * stays as it is.
 */
export function unescapeLabelName(escaped: string): string {
  if (!escaped.startsWith('U__')) return escaped;
  const rest = escaped.slice(3);
  const isEscaped = /^(?:[a-zA-Z0-9:]|__|_[0-9a-fA-F]{1,6}_)*$/.test(rest);
  if (!isEscaped) return escaped;
  return rest.replace(/__|_([0-9a-fA-F]{1,6})_/g, (_, hex: string | undefined) => {
    if (hex === undefined) return '_';
    const point = Number.parseInt(hex, 16);
    return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : '\ufffd';
  });
}
