import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** Creates the stream that undoes a content coding; null: there is nothing to undo. */
export type CreateDecompressor = (() => Transform) | null;

const CHUNK_BYTES = 32 * 1024;

/** RFC 9659: an HTTP peer must not need a larger zstd window than 8 MiB, so a larger one is refused. */
const ZSTD_WINDOW_LOG_MAX = 23;

type CreateZstd = (options: { chunkSize: number; params: Record<number, number> }) => Transform;

/** Node has zstd since 22.15; the types here are those of the oldest Node that is supported. */
function createZstdDecompressor(): CreateDecompressor {
  const create = (zlib as { createZstdDecompress?: CreateZstd }).createZstdDecompress;
  const parameter = (zlib.constants as unknown as Record<string, number | undefined>).ZSTD_d_windowLogMax;
  if (create === undefined || parameter === undefined) {
    return null;
  }
  return () => create({ chunkSize: CHUNK_BYTES, params: { [parameter]: ZSTD_WINDOW_LOG_MAX } });
}

function contentEncodings(): Map<string, CreateDecompressor> {
  const gunzip = () => zlib.createGunzip({ chunkSize: CHUNK_BYTES });
  const encodings = new Map<string, CreateDecompressor>([
    ['identity', null],
    ['gzip', gunzip],
    ['x-gzip', gunzip],
    ['deflate', () => zlib.createInflate({ chunkSize: CHUNK_BYTES })],
  ]);
  const zstd = createZstdDecompressor();
  if (zstd !== null) {
    encodings.set('zstd', zstd);
  }
  return encodings;
}

/** What this Node can decompress, by the lower-case name in `Content-Encoding` (RFC 9110, section 8.4.1). */
export const CONTENT_ENCODINGS: ReadonlyMap<string, CreateDecompressor> = contentEncodings();

/** Names for `Accept-Encoding`; `x-gzip` is only an old name of gzip. */
export const SUPPORTED_CONTENT_ENCODINGS: readonly string[] = [...CONTENT_ENCODINGS.keys()].filter(
  (name) => name !== 'x-gzip',
);
