import type { Attributes } from '@opentelemetry/api';
import { errorType } from '../surfaces/operation.ts';
import type { DatabaseCall, DatabaseFailure, DatabaseTarget } from './database-recorder.ts';
import { redisKey, redisQueryText } from './redis-query-text.ts';

export interface RedisServer {
  readonly database?: number | undefined;
  readonly serverAddress?: string | undefined;
  readonly serverPort?: number | undefined;
}

/** A command; `args` without its name, values already replaced. */
export function redisCommand(
  server: RedisServer,
  command: string,
  args: readonly string[],
  keys: boolean,
): DatabaseCall {
  const operation = command.toUpperCase();
  return {
    target: targetOf(server),
    operation,
    attributes: () => {
      const key = keys ? redisKey(operation, args) : undefined;
      return { 'db.query.text': redisQueryText(operation, args, keys), 'cache.key': key };
    },
  };
}

/** A MULTI or a pipeline. */
export function redisBatch(server: RedisServer, mode: string, size: number | undefined): DatabaseCall {
  // Fewer than two commands are no batch.
  const attributes = (): Attributes => (size !== undefined && size > 1 ? { 'db.operation.batch.size': size } : {});
  return { target: targetOf(server), operation: mode.toUpperCase(), attributes };
}

export function redisConnect(server: RedisServer): DatabaseCall {
  return { target: targetOf(server), operation: 'CONNECT' };
}

/** Redis prefixes its errors with an upper-case code (`WRONGTYPE …`); others are the client's own. */
export function redisFailure(error: unknown): DatabaseFailure {
  // Redis repeats the arguments of a command it does not know; they may be values.
  const message = (error instanceof Error ? error.message : String(error)).replace(
    /, with args beginning with:.*/s,
    '',
  );
  const statusCode = /^[A-Z][A-Z0-9_]+(?= )/.exec(message)?.[0];
  return { statusCode, type: statusCode ?? errorType(error), message };
}

/** Reads of one value, whose empty answer is a miss. */
const lookups = new Set(['GET', 'GETDEL', 'GETEX', 'HGET', 'JSON.GET']);

/** Whether a lookup found something; nothing for other commands. */
export function redisHit(command: string, result: unknown): Attributes {
  return lookups.has(command.toUpperCase()) ? { 'cache.hit': result !== null && result !== undefined } : {};
}

function targetOf({ database, serverAddress, serverPort }: RedisServer): DatabaseTarget {
  const namespace = database === undefined ? undefined : String(database);
  return { system: 'redis', namespace, address: serverAddress, port: serverPort };
}
