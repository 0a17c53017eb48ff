import type { OtlpSignal } from './otlp-destination.ts';

/** One request as it lies on disk: `{"v":1,…}`, a line feed, the body. No address and no header, which may be secret. */
export interface SpooledRequest {
  readonly signal: OtlpSignal;
  readonly encoding: 'protobuf' | 'json';
  readonly records: number;
  readonly body: Uint8Array;
}

const version = 1;
/** Of the first line; ours has about 100. */
const maxHeaderBytes = 512;

export function encodeSpoolFile({ signal, encoding, records, body }: SpooledRequest): Buffer {
  const header = { v: version, signal, encoding, records, bytes: body.byteLength, crc32: crc32(body) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** Throws an Error that says what is wrong with it. */
export function decodeSpoolFile(content: Buffer): SpooledRequest {
  const end = content.subarray(0, maxHeaderBytes).indexOf(0x0a);
  if (end < 0) throw new Error('it has no header');
  const header: unknown = JSON.parse(content.toString('utf8', 0, end));
  const body = content.subarray(end + 1);
  const field = (name: string): unknown =>
    typeof header === 'object' && header !== null ? Reflect.get(header, name) : undefined;
  const [signal, encoding, records] = [field('signal'), field('encoding'), field('records')];
  if (field('v') !== version) throw new Error(`its version is not ${version}`);
  if (signal !== 'TRACES' && signal !== 'METRICS' && signal !== 'LOGS') throw new Error('it names no signal');
  if (encoding !== 'protobuf' && encoding !== 'json') throw new Error('it names no encoding');
  if (field('bytes') !== body.byteLength || field('crc32') !== crc32(body)) throw new Error('its body is not whole');
  return { signal, encoding, records: typeof records === 'number' ? records : 0, body };
}

/** Loaded when it is needed: few processes have a spool. */
function crc32(body: Uint8Array): number {
  return process.getBuiltinModule('node:zlib').crc32(body);
}
