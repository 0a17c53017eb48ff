import type { Config } from '../config/options.ts';
import type { ConnectionOptions } from '../store/open-connection.ts';

/** Which ClickHouse the settings mean. */
export function connectionOptions(config: Config): ConnectionOptions {
  const limits = { maxExecutionMs: config['query-timeout'] };
  const url = config['clickhouse-url'];
  if (url !== undefined) {
    return {
      kind: 'http',
      url,
      user: config['clickhouse-user'],
      password: config['clickhouse-password'],
      database: config['clickhouse-database'],
      limits,
    };
  }
  return { kind: 'embedded', folder: config.data, memoryBytes: config['engine-memory'], limits };
}
