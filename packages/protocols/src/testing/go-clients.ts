import { readFileSync } from 'node:fs';

const FILE = new URL('./go-clients.json', import.meta.url);

/**
 * Bytes that the original Go libraries made: grafana/loki/pkg/push (94c0ba7b0952) for `lokiPush`, prometheus/prompb 0.316.0 for
 * `remoteWrite1` and `remoteWrite2`, 0.307.3 for `remoteRead` and `remoteReadChunks` (which accepts chunks only), all in Snappy blocks of golang/snappy 1.0.0;
 * prometheus 0.316.0 for `…Chunk` (tsdb/chunkenc) and `chunkedReadFrame` (storage/remote); client_golang 1.25.0 for `golang_…`.
 */
export function goClientBytes(name: string): Uint8Array<ArrayBuffer> {
  const found = (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string>)[name];
  if (found === undefined) throw new Error(`${name} is not in ${FILE.pathname}`);
  return Uint8Array.from(Buffer.from(found, 'base64'));
}
