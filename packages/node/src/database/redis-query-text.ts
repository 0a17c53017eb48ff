const maxLength = 1024;

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
 * `db.query.text` of a command: its name, its keys, and `?` for values. `args` come from ioredis, which has already
 * replaced the values of commands that write; this covers those whose other arguments are secrets or values as well.
 */
export function redisQueryText(command: string, args: readonly string[]): string {
  const name = command.toUpperCase();
  const limit = shown[name] ?? args.length;
  const text = [name, ...args.map((argument, index) => (index < limit ? argument : '?'))].join(' ');
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
