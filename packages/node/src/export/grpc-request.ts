import type { OtlpDestination } from './otlp-destination.ts';

/** What `http2` sends for one unary call, whoever opens the connection (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
export function grpcHeaders(destination: OtlpDestination, gzipped: boolean): Record<string, string> {
  const url = new URL(destination.url);
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(destination.headers)) own[name.toLowerCase()] = value;
  return {
    'user-agent': 'signalbox-node',
    ...own,
    ':method': 'POST',
    ':scheme': url.protocol.slice(0, -1),
    ':authority': url.host,
    ':path': url.pathname,
    te: 'trailers',
    'content-type': 'application/grpc+proto',
    'grpc-timeout': `${Math.min(99_999_999, Math.ceil(destination.timeoutMillis))}m`,
    ...(gzipped && { 'grpc-encoding': 'gzip' }),
  };
}

/** A message behind its prefix: whether it is compressed, and its length. */
export function grpcFrame(message: Uint8Array, gzipped: boolean): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.byteLength);
  frame[0] = gzipped ? 1 : 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  return frame;
}
