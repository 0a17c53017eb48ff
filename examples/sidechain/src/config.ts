export interface Config {
  /** 0: one of the system's choosing. */
  readonly port: number;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The two HTTP APIs. */
  readonly streamUrl: URL;
  readonly elasticsearchUrl: URL;
}

/** A setting that is wrong; the message says which, and what to do. */
export class ConfigError extends Error {}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  const port = Number(env.SIDECHAIN_PORT ?? 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ConfigError(`SIDECHAIN_PORT=${env.SIDECHAIN_PORT} is no port; give a number from 0 to 65535.`);
  return {
    port,
    databaseUrl: env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
    redisUrl: env.REDIS_URL ?? 'redis://127.0.0.1:6379',
    streamUrl: readUrl(env, 'STREAM_URL', 'http://127.0.0.1:3100'),
    elasticsearchUrl: readUrl(env, 'ELASTICSEARCH_URL', 'http://127.0.0.1:9200'),
  };
}

function readUrl(env: NodeJS.ProcessEnv, name: string, fallback: string): URL {
  const text = env[name] ?? fallback;
  if (!URL.canParse(text)) throw new ConfigError(`${name}=${text} is no URL; give one like ${fallback}.`);
  return new URL(text);
}
