/** A setting that can't be used; `message` names where it was given. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}
