/** A 200 of GitHub as the tiers keep it. Times are ms since 1970. */
export interface CachedResponse {
  body: Buffer;
  contentType: string;
  etag: string | null;
  /** GitHub's `Link` header, as GitHub wrote it. */
  link: string | null;
  freshUntil: number;
  /** When the tiers forget it: until then it can be revalidated, or served when GitHub fails. */
  keptUntil: number;
}

/** One line of JSON, a line feed, the body: what is stored in Dragonfly. */
export function encodeCachedResponse({ body, ...head }: CachedResponse): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** Null for bytes that are none of ours, so that a foreign value under our key is a miss and no panic. */
export function decodeCachedResponse(bytes: Buffer): CachedResponse | null {
  const end = bytes.indexOf(0x0a);
  if (end === -1) return null;
  let head: unknown;
  try {
    head = JSON.parse(bytes.toString('utf8', 0, end));
  } catch {
    return null;
  }
  if (typeof head !== 'object' || head === null) return null;
  const { contentType, etag, link, freshUntil, keptUntil } = head as Record<string, unknown>;
  const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
  if (typeof contentType !== 'string' || !isTextOrNull(etag) || !isTextOrNull(link)) return null;
  if (typeof freshUntil !== 'number' || typeof keptUntil !== 'number') return null;
  return { body: bytes.subarray(end + 1), contentType, etag, link, freshUntil, keptUntil };
}
