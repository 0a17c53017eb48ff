import { HttpTransport } from './http-transport.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import type { OtlpTransport } from './otlp-transport.ts';
import { isPlainHttp, PlainHttpTransport } from './plain-http-transport.ts';

/** For at most as many requests at a time as `maxConnections`; more wait. */
export function createHttpTransport(destination: OtlpDestination, maxConnections: number): OtlpTransport {
  return isPlainHttp(destination)
    ? new PlainHttpTransport(destination, maxConnections)
    : new HttpTransport(destination, maxConnections);
}
