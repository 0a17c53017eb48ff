/** Everything that can be set from outside; see the README for the environment variables. */
export interface Config {
  host: string;
  port: number;
  /** `owner/name` of the proxied repository. */
  repository: string;
  githubApiUrl: string;
  /** Never written to a log, a span or an error message. */
  githubToken: string | null;
  githubTimeoutMs: number;
  /** Where Dragonfly (or Redis) listens, as a redis:// URL; null runs on the memory tier alone. */
  dragonflyUrl: string | null;
  ttlMs: number;
  /** How long past its TTL an entry is kept to be revalidated, or served when GitHub fails. */
  staleMs: number;
  memoryEntries: number;
  memoryBytes: number;
  prometheus: boolean;
  debugRoutes: boolean;
  logLevel: string;
}

/** A setting that chimney cannot start with; the message names the variable. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export function readConfig(environment: Record<string, string | undefined>): Config {
  const text = (name: string, fallback: string) => environment[name]?.trim() || fallback;
  const number = (name: string, fallback: number, lowest: number, highest: number): number => {
    const value = Number(text(name, String(fallback)));
    if (!Number.isFinite(value) || value < lowest || value > highest) {
      throw new ConfigError(`${name} is a number from ${lowest} to ${highest}; it is "${environment[name]}".`);
    }
    return value;
  };
  const flag = (name: string) => ['1', 'true', 'yes', 'on'].includes(text(name, '').toLowerCase());

  const repository = text('CHIMNEY_REPOSITORY', 'atvirokodosprendimai/wgmesh');
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/.test(repository) || /\/\.{1,2}$/.test(repository)) {
    throw new ConfigError(`CHIMNEY_REPOSITORY is owner/name; it is "${repository}".`);
  }
  const logLevel = text('LOG_LEVEL', 'info').toLowerCase();
  if (!logLevels.includes(logLevel)) throw new ConfigError(`LOG_LEVEL is one of ${logLevels.join(', ')}.`);

  return {
    host: text('CHIMNEY_HOST', '127.0.0.1'),
    port: number('CHIMNEY_PORT', 8080, 0, 65535),
    repository,
    githubApiUrl: httpUrl('GITHUB_API_URL', text('GITHUB_API_URL', 'https://api.github.com')),
    githubToken: text('GITHUB_TOKEN', '') || null,
    githubTimeoutMs: number('CHIMNEY_GITHUB_TIMEOUT_MS', 10_000, 1, 120_000),
    dragonflyUrl: dragonflyUrl(text('REDIS_URL', '') || text('DRAGONFLY_ADDR', '')),
    ttlMs: number('CHIMNEY_CACHE_TTL_SECONDS', 60, 0, 86_400) * 1000,
    staleMs: number('CHIMNEY_CACHE_STALE_SECONDS', 600, 0, 604_800) * 1000,
    memoryEntries: number('CHIMNEY_MEMORY_ENTRIES', 1000, 1, 1_000_000),
    memoryBytes: number('CHIMNEY_MEMORY_BYTES', 64 * 1024 * 1024, 1024, 4 * 1024 ** 3),
    prometheus: flag('CHIMNEY_PROMETHEUS'),
    debugRoutes: flag('CHIMNEY_DEBUG_ROUTES'),
    logLevel,
  };
}

function httpUrl(name: string, text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ConfigError(`${name} is an http or https address; it is "${text}".`);
  }
  // It is logged and becomes part of span attributes.
  const { username, password } = new URL(text);
  if (username || password) throw new ConfigError(`${name} must hold no user name or password; use GITHUB_TOKEN.`);
  return text.replace(/\/+$/, '');
}

/** Takes `host:port` as well as a URL: Dragonfly's own tools speak of an address. A password in it must not reach the message. */
function dragonflyUrl(text: string): string | null {
  if (text === '') return null;
  const url = /^rediss?:\/\//.test(text) ? text : `redis://${text}`;
  if (!URL.canParse(url)) throw new ConfigError('REDIS_URL or DRAGONFLY_ADDR is no redis:// URL and no host:port.');
  return url;
}
