const maxLength = 1024;

/** Commands whose first argument says what they do. */
const containers = new Set([
  'ACL',
  'CLIENT',
  'CLUSTER',
  'COMMAND',
  'CONFIG',
  'FUNCTION',
  'LATENCY',
  'MEMORY',
  'MODULE',
  'OBJECT',
  'PUBSUB',
  'SCRIPT',
  'SLOWLOG',
  'XGROUP',
  'XINFO',
]);

/** Commands whose further arguments may hold passwords or program values, with how many arguments are safe to show. */
const shown: Readonly<Record<string, number>> = {
  ACL: 1,
  AUTH: 0,
  CONFIG: 2,
  EVAL: 1,
  EVALSHA: 1,
  EVALSHA_RO: 1,
  EVAL_RO: 1,
  FCALL: 1,
  FCALL_RO: 1,
  FUNCTION: 1,
  HELLO: 0,
  LPOS: 1,
  LREM: 2,
  MIGRATE: 2,
  SCRIPT: 1,
  SISMEMBER: 1,
  SMISMEMBER: 1,
  SMOVE: 2,
  SREM: 1,
  ZREM: 1,
};

/**
 * `db.query.text` of a command: its name and `?` for each argument, or with `keys` for each value. `args` come from the
 * client, which has already replaced the values of commands that write; this covers those whose other arguments are
 * secrets or values as well.
 */
export function redisQueryText(command: string, args: readonly string[], keys: boolean): string {
  const name = command.toUpperCase();
  const all = containers.has(name) ? 1 : 0;
  const limit = keys ? (shown[name] ?? args.length) : all;
  let text = name;
  for (let index = 0; index < args.length && text.length <= maxLength; index += 1)
    text += ` ${index < limit ? args[index] : '?'}`;
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** The first key of a command; undefined where its first argument is none. */
export function redisKey(command: string, [first]: readonly string[]): string | undefined {
  const name = command.toUpperCase();
  if (
    first === undefined ||
    first === '?' ||
    containers.has(name) ||
    name.startsWith('EVAL') ||
    name.startsWith('FCALL')
  )
    return undefined;
  return keyless.has(name) ? undefined : first.slice(0, maxLength);
}

const keyless = new Set([
  'AUTH',
  'ECHO',
  'HELLO',
  'INFO',
  'MIGRATE',
  'PING',
  'SCAN',
  'SELECT',
  'WAIT',
  'XREAD',
  'XREADGROUP',
]);
