import { GrpcTransport } from './grpc-transport.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import type { OtlpTransport } from './otlp-transport.ts';

/** A function, for `register` to have the class in another file. */
export function createGrpcTransport(destination: OtlpDestination): OtlpTransport {
  return new GrpcTransport(destination);
}
