import * as grpc from '@grpc/grpc-js';

export interface GrpcAnswer {
  code: number;
  details: string;
  metadata: grpc.Metadata;
  /** The answer's message; undefined without one. */
  message: Buffer | undefined;
}

const identity = (bytes: Buffer) => bytes;

/** The reference client: bytes in, bytes out, no retries, so that a refusal can be looked at. */
export function grpcClient(address: string, options: grpc.ClientOptions = {}): grpc.Client {
  return new grpc.Client(address, grpc.credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
    ...options,
  });
}

export const GZIP_CLIENT = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };

/** A unary call; resolves whatever the status. */
export function grpcCall(
  client: grpc.Client,
  path: string,
  message: Buffer,
  options: grpc.CallOptions = {},
): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    let answer: Buffer | undefined;
    const call = client.makeUnaryRequest(path, identity, identity, message, options, (_error, value) => {
      answer = value;
    });
    call.on('status', ({ code, details, metadata }) => {
      setImmediate(() => resolve({ code, details, metadata, message: answer }));
    });
  });
}

export function exportPath(service: string): string {
  return `/opentelemetry.proto.collector.${service}/Export`;
}
