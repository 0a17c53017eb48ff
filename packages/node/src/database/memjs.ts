import { context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { errorType } from '../surfaces/operation.ts';
import {
  type DatabaseCall,
  type DatabaseOperation,
  type DatabaseOutcome,
  DatabaseRecorder,
  type DatabaseTarget,
} from './database-recorder.ts';

interface Server {
  readonly host?: string;
  readonly port?: number;
}

interface Client {
  readonly servers: readonly Server[];
  /** Which server has a key; null when none is to be asked now. */
  server(key: string): Server | null;
}

/** The client's functions, with memcached's own names for what they do. */
const commands = {
  get: 'get',
  set: 'set',
  add: 'add',
  replace: 'replace',
  delete: 'delete',
  increment: 'incr',
  decrement: 'decr',
  append: 'append',
  prepend: 'prepend',
  touch: 'touch',
  flush: 'flush_all',
} as const;

type Command = (typeof commands)[keyof typeof commands];

/** memjs 1, a client of memcached. Its functions without a callback call themselves with one, and are seen there. */
export const memjsInstrumentation: Instrumentation = {
  name: 'memjs',
  enable(instrumentation) {
    const { wants, settings, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const { requireParent, keys } = settings.memjs;
    const recorder = new DatabaseRecorder(instrumentation, { requireParent });
    return handleOf(
      onModule<{ Client: { prototype: object } }>(
        'memjs',
        { versions: { from: '1', below: '2' } },
        ({ Client }, { wrap }) => {
          for (const [key, command] of Object.entries(commands))
            wrap(Client.prototype, key, (original) =>
              observeCommand(
                instrumentation,
                original,
                (client, args) => recorder.begin(callOf(client, command, args, keys)),
                command,
              ),
            );
          return undefined;
        },
      ),
    );
  },
};

function observeCommand(
  { protect }: InstrumentationContext,
  original: AnyFunction,
  beginCommand: (client: Client, args: readonly unknown[]) => DatabaseOperation | undefined,
  command: Command,
): AnyFunction {
  const begin = protect(beginCommand, () => undefined);
  const outcome = protect<[unknown, unknown], DatabaseOutcome>(
    (error, answer) => outcomeOf(command, error, answer),
    () => ({}),
  );
  return function (...args) {
    // Older forms have further arguments after the callback.
    const index = args.findIndex((argument) => typeof argument === 'function');
    const operation = index < 0 ? undefined : begin(this as Client, args);
    if (operation === undefined) return Reflect.apply(original, this, args);
    const callback = args[index] as AnyFunction;
    args[index] = (...answer: unknown[]) => {
      operation.end(outcome(answer[0], answer[1]));
      return context.with(operation.parent, callback, undefined, ...answer);
    };
    try {
      return Reflect.apply(original, this, args);
    } catch (error) {
      operation.end(outcome(error, undefined));
      throw error;
    }
  };
}

function callOf(client: Client, command: Command, [key]: readonly unknown[], keys: boolean): DatabaseCall {
  const hasKey = command !== 'flush_all';
  const target = targetOf(client, hasKey ? String(key) : undefined);
  return {
    target,
    operation: command,
    name: target.address === undefined ? command : `${command} ${target.address}:${target.port}`,
    attributes: () => ({
      'db.query.text': hasKey ? `${command} ${keys ? String(key) : '?'}` : command,
      ...(hasKey && keys && { 'cache.key': String(key) }),
    }),
  };
}

/** `flush` goes to all servers, as do others that are not looked at; with one server there is no choice. */
function targetOf(client: Client, key: string | undefined): DatabaseTarget {
  const [first, ...others] = client.servers;
  const server = others.length === 0 ? first : key === undefined ? undefined : client.server(key);
  return { system: 'memcached', address: server?.host, port: server?.port };
}

function outcomeOf(command: Command, error: unknown, answer: unknown): DatabaseOutcome {
  if (error !== undefined && error !== null)
    return { failure: { type: errorType(error), message: error instanceof Error ? error.message : String(error) } };
  if (command !== 'get') return {};
  return { attributes: () => ({ 'cache.hit': answer !== undefined && answer !== null }) };
}
