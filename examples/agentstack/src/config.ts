/** Everything that can be set from outside; see the README for the environment variables. */
export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly workerUrl: string;
  readonly logLevel: string;
}

export interface WorkerConfig {
  readonly host: string;
  readonly port: number;
  readonly llmUrl: string;
  /** Never written to a log, a span or an error message. */
  readonly llmKey: string;
  readonly llmTimeoutMs: number;
  readonly logLevel: string;
}

/** A setting that the program cannot start with; the message names the variable. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

type Variables = Readonly<Record<string, string | undefined>>;

export function readApiConfig(environment: Variables): ApiConfig {
  return {
    host: environment.AGENTSTACK_HOST || '127.0.0.1',
    port: number(environment, 'AGENTSTACK_API_PORT', 8090, 65_535),
    workerUrl: httpUrl(environment, 'AGENTSTACK_WORKER_URL', 'http://127.0.0.1:8091'),
    logLevel: logLevel(environment),
  };
}

export function readWorkerConfig(environment: Variables): WorkerConfig {
  return {
    host: environment.AGENTSTACK_HOST || '127.0.0.1',
    port: number(environment, 'AGENTSTACK_WORKER_PORT', 8091, 65_535),
    llmUrl: httpUrl(environment, 'OPENAI_BASE_URL', 'http://127.0.0.1:4340/v1'),
    llmKey: environment.OPENAI_API_KEY || 'stand-in',
    llmTimeoutMs: number(environment, 'AGENTSTACK_LLM_TIMEOUT_MS', 60_000, 600_000),
    logLevel: logLevel(environment),
  };
}

function number(environment: Variables, name: string, fallback: number, highest: number): number {
  const text = environment[name]?.trim() || String(fallback);
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > highest)
    throw new ConfigError(`${name} is a whole number from 0 to ${highest}; it is "${text}".`);
  return value;
}

function httpUrl(environment: Variables, name: string, fallback: string): string {
  const text = environment[name]?.trim() || fallback;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new ConfigError(`${name} is an http or https address; it is "${text}".`);
  const { username, password } = new URL(text);
  if (username || password) throw new ConfigError(`${name} must hold no user name or password.`);
  return text.replace(/\/+$/, '');
}

function logLevel(environment: Variables): string {
  const level = environment.LOG_LEVEL?.trim().toLowerCase() || 'info';
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  if (!levels.includes(level)) throw new ConfigError(`LOG_LEVEL is one of ${levels.join(', ')}; it is "${level}".`);
  return level;
}
