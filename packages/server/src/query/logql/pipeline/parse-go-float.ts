/** Go's `ParseFloat`: decimal numbers with `_` between digits, infinities and NaN in any case; undefined: not one. */
export function parseGoFloat(text: string): number | undefined {
  if (text.includes('_')) return /_(?!\d)|(?<!\d)_/.test(text) ? undefined : parseGoFloat(text.replaceAll('_', ''));
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([+-]?)(inf|infinity)$/i.exec(text);
  if (special) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}
