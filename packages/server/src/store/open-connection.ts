import type { EmbeddedOptions } from './clickhouse/embedded/embedded-connection.ts';
import type { HttpOptions } from './clickhouse/http/http-connection.ts';
import type { Connection } from './connection.ts';

export type ConnectionOptions =
  | ({ readonly kind: 'embedded' } & EmbeddedOptions)
  | ({ readonly kind: 'http' } & HttpOptions);

/** Opens either kind of connection. The embedded engine's library (0.5 GB) is loaded only when it is the one. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  if (options.kind === 'http') {
    const { HttpConnection } = await import('./clickhouse/http/http-connection.ts');
    return HttpConnection.open(options);
  }
  const { EmbeddedConnection } = await import('./clickhouse/embedded/embedded-connection.ts');
  return EmbeddedConnection.open(options);
}
