import { types } from 'node:util';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import { DatabaseRecorder } from './database-recorder.ts';
import { redisCommand, redisFailure, redisHit } from './redis-call.ts';
import { recordRedisChannels } from './redis-channels.ts';

/** ioredis's command, as far as it is used here. */
interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  /** Set by ioredis on commands that it has announced on its channel, so that it announces them once. */
  isTraced?: boolean;
}

interface Redis {
  readonly options: { readonly host?: string; readonly port?: number; readonly path?: string; readonly db?: number };
}

/** ioredis 6 and later: what it sends, by its tracing channels, and what it cannot send now. */
export const ioredisInstrumentation: Instrumentation = {
  name: 'ioredis',
  enable(instrumentation) {
    const { wants, settings } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const { requireParent, keys } = settings.ioredis;
    const recorder = new DatabaseRecorder(instrumentation, { requireParent });
    const channels = recordRedisChannels(instrumentation, recorder, {
      prefix: 'ioredis',
      argumentsOf: (args) => args,
      keys,
    });
    return handleOf(() => channels[Symbol.dispose](), recordUnsent(instrumentation, recorder, keys));
  },
};

/**
 * ioredis announces a command when it is written to the connection. While there is none, commands wait or are refused, which
 * nothing announces: those are recorded from the call on, in the caller's context, and then are not announced any more.
 */
function recordUnsent(
  { onModule, protect }: InstrumentationContext,
  recorder: DatabaseRecorder,
  keys: boolean,
): () => void {
  const record = protect<[Redis, Command], void>(
    ({ options }, command) => {
      const { host, port, path, db } = options;
      const server = { database: db, serverAddress: path ?? host, serverPort: path === undefined ? port : undefined };
      // Unlike those of the channel, these arguments still hold values: only the key may be seen.
      const args = command.args.map((argument, index) => (index === 0 && keys ? String(argument) : '?'));
      const operation = recorder.begin(redisCommand(server, command.name, args, keys));
      command.isTraced = true;
      command.promise.then(
        (result) => operation?.end({ attributes: () => redisHit(command.name, result) }),
        (error: unknown) => operation?.end({ failure: redisFailure(error) }),
      );
    },
    () => {},
  );
  return onModule<{ default: { prototype: object } }>(
    'ioredis',
    { versions: { from: '6' }, files: ['built/Redis.js'] },
    (exports, { wrap }) => {
      wrap(
        exports.default.prototype as { sendCommand(command: Command): unknown },
        'sendCommand',
        (sendCommand) =>
          function (...args) {
            const answer = Reflect.apply(sendCommand, this, args);
            const command = args[0] as Command;
            if (command.isTraced !== true && types.isPromise(command.promise)) record(this as Redis, command);
            return answer;
          },
      );
      return undefined;
    },
  );
}
