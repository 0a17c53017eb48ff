import type { EmbeddedOptions } from './clickhouse/embedded/embedded-connection.ts';
import type { HttpOptions } from './clickhouse/http/http-connection.ts';
import type { Connection } from './connection.ts';

export type ConnectionOptions =
  | ({ readonly kind: 'embedded' } & EmbeddedOptions)
  | ({ readonly kind: 'http' } & HttpOptions);

/**
 * Opens either kind of connection. The embedded engine's library (0.5 GB) is loaded only when it is the one.
 * @param onError told what goes wrong in the background
 */
export async function openConnection(
  options: ConnectionOptions,
  onError?: (error: Error) => void,
): Promise<Connection> {
  if (options.kind === 'http') {
    const { HttpConnection } = await import('./clickhouse/http/http-connection.ts');
    return HttpConnection.open(options);
  }
  const { EmbeddedConnection } = await import('./clickhouse/embedded/embedded-connection.ts');
  const connection = EmbeddedConnection.open(onError === undefined ? options : { onError, ...options });
  try {
    await connection.recover();
  } catch (error) {
    await connection.close(1_000);
    throw error;
  }
  return connection;
}
