import diagnosticsChannel from 'node:diagnostics_channel';
import { context } from '@opentelemetry/api';
import { handleOf, type InstrumentationContext, type InstrumentationHandle } from '../instrumentation.ts';
import type { DatabaseCall, DatabaseOperation, DatabaseRecorder } from './database-recorder.ts';
import { type RedisServer, redisBatch, redisCommand, redisConnect, redisFailure, redisHit } from './redis-call.ts';

const operationKey = Symbol('@signalbox/node operation');

/** ioredis and node-redis publish one such object through the life of a command, a batch or a connection. */
interface RedisMessage extends RedisServer {
  /** Undefined for batches and connections. */
  readonly command?: string;
  readonly args?: readonly string[];
  readonly batchMode?: string;
  readonly batchSize?: number;
  readonly error?: unknown;
  readonly result?: unknown;
  /** What was begun for it; the object is made for this one call. */
  [operationKey]?: DatabaseOperation;
}

export interface RedisChannels {
  /** What the channels' names begin with. */
  readonly prefix: string;
  /** Arguments of a command, without its name. */
  readonly argumentsOf: (args: readonly string[]) => readonly string[];
  /** Whether keys are to be shown. */
  readonly keys: boolean;
}

/**
 * Commands, batches and connections of the two clients, by their tracing channels. The commands of a batch are its
 * children where the client publishes them.
 */
export function recordRedisChannels(
  { bindChannel, subscribe }: InstrumentationContext,
  recorder: DatabaseRecorder,
  channels: RedisChannels,
): InstrumentationHandle {
  const undo = ['command', 'batch', 'connect'].flatMap((kind) => {
    const channel = `tracing:${channels.prefix}:${kind}`;
    return [
      bindChannel(diagnosticsChannel.channel(`${channel}:start`), (published) => {
        const message = published as RedisMessage;
        const operation = recorder.begin(callOf(message, channels));
        if (operation === undefined) return context.active();
        message[operationKey] = operation;
        return operation.context;
      }),
      subscribe(`${channel}:asyncStart`, (published) => {
        const message = published as RedisMessage;
        const { error, command } = message;
        message[operationKey]?.end({
          failure: error === undefined ? undefined : redisFailure(error),
          attributes: () => (error === undefined && command !== undefined ? redisHit(command, message.result) : {}),
        });
      }),
    ];
  });
  return handleOf(...undo);
}

function callOf(message: RedisMessage, { argumentsOf, keys }: RedisChannels): DatabaseCall {
  const { command, args = [], batchMode, batchSize } = message;
  if (command !== undefined) return redisCommand(message, command, argumentsOf(args), keys);
  return batchMode === undefined ? redisConnect(message) : redisBatch(message, batchMode, batchSize);
}
