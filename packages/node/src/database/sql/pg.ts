import { types } from 'node:util';
import { context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../../instrumentation.ts';
import type { AnyFunction } from '../../modules/loaded-module.ts';
import { errorType } from '../../surfaces/operation.ts';
import type { DatabaseFailure, DatabaseTarget } from '../database-recorder.ts';
import { postgresDialect } from './dialects.ts';
import { withoutValues } from './error-message.ts';
import { followSubmittable, isSubmittable, textOfSubmittable } from './pg-submittable.ts';
import { isChange, type SqlOperation, type SqlOutcome, SqlRecorder } from './sql-recorder.ts';

interface Client {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
}

type NodeCallback = (error: unknown, result?: unknown) => unknown;

/**
 * pg 8: `Client.query` (which pools, and libraries on pg, end in; cursors and query streams as well) and `Client.connect`, and
 * pg-pool's `connect`, whose callbacks otherwise run in the context of whoever gave the connection back.
 */
export const pgInstrumentation: Instrumentation = {
  name: 'pg',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    // Those before never get a connection on a Node of today.
    const versions = { from: '8.0.3', below: '9' };
    const recorder = new SqlRecorder(instrumentation, postgresDialect);
    return handleOf(
      onModule<{ prototype: object }>('pg', { versions, files: ['lib/client.js'] }, ({ prototype }, { wrap }) => {
        const client = prototype as Record<'query' | 'connect', AnyFunction>;
        wrap(client, 'query', (query) => observeQuery(instrumentation, recorder, query));
        wrap(client, 'connect', (connect) => observeConnect(instrumentation, recorder, connect));
        return undefined;
      }),
      onModule<{ prototype: object }>(
        'pg-pool',
        { versions: { from: '3', below: '4' }, files: ['index.js'] },
        ({ prototype }, { wrap }) => {
          wrap(prototype as Record<'connect', AnyFunction>, 'connect', keepContext);
          return undefined;
        },
      ),
    );
  },
};

function observeQuery(instrumentation: InstrumentationContext, recorder: SqlRecorder, query: AnyFunction): AnyFunction {
  const { protect } = instrumentation;
  const begin = protect<[Client, unknown], SqlOperation | undefined>(
    (client, config) => {
      const text = typeof config === 'string' ? config : textOf(config);
      return text === undefined ? undefined : recorder.begin(targetOf(client), text);
    },
    () => undefined,
  );
  const outcome = protect<[unknown, unknown], SqlOutcome>(
    (error, result) => (isFailure(error) ? { failure: failureOf(error) } : outcomeOf(result)),
    () => ({}),
  );
  const followQuery = protect<[unknown, SqlOperation], boolean>(
    (config, operation) => {
      if (!isSubmittable(config)) return false;
      followSubmittable(config, operation, instrumentation, (error) => outcome(error, undefined));
      return true;
    },
    () => false,
  );
  return function (...args) {
    const operation = begin(this as Client, args[0]);
    if (operation === undefined) return Reflect.apply(query, this, args);
    const settle: NodeCallback = (error, result) => operation.end(outcome(error, result));
    if (followQuery(args[0], operation)) return follow(() => Reflect.apply(query, this, args), settle, true);
    const hasCallback = replaceCallback(args, (callback) => (error, result) => {
      settle(error, result);
      return context.with(operation.parent, callback, undefined, error, result);
    });
    return follow(() => Reflect.apply(query, this, args), settle, hasCallback);
  };
}

function observeConnect({ protect }: InstrumentationContext, recorder: SqlRecorder, connect: AnyFunction): AnyFunction {
  const begin = protect<[Client], ReturnType<SqlRecorder['connect']>>(
    (client) => recorder.connect(targetOf(client)),
    () => undefined,
  );
  const failure = protect<[unknown], DatabaseFailure | undefined>(
    (error) => (isFailure(error) ? failureOf(error) : undefined),
    () => undefined,
  );
  return function (...args) {
    const operation = begin(this as Client);
    if (operation === undefined) return Reflect.apply(connect, this, args);
    const settle: NodeCallback = (error) => operation.end({ failure: failure(error) });
    const [callback] = args;
    const hasCallback = typeof callback === 'function';
    if (hasCallback)
      args[0] = (...answer: unknown[]) => {
        settle(answer[0]);
        return context.with(operation.parent, callback as AnyFunction, undefined, ...answer);
      };
    return follow(() => Reflect.apply(connect, this, args), settle, hasCallback);
  };
}

/** A pool calls whoever waits from within the `release` of another request. */
function keepContext(connect: AnyFunction): AnyFunction {
  return function (...args) {
    if (typeof args[0] === 'function') args[0] = context.bind(context.active(), args[0]);
    return Reflect.apply(connect, this, args);
  };
}

/** Calls `run`, and `settle` when it throws or, unless a callback will tell, when its promise is settled. */
function follow(run: () => unknown, settle: NodeCallback, hasCallback: boolean): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    settle(error);
    throw error;
  }
  if (hasCallback || !types.isPromise(result)) return result;
  // What is returned follows pg's promise, so that a rejection that nobody handles stays one.
  return result.then(
    (value) => {
      settle(undefined, value);
      return value;
    },
    (error: unknown) => {
      settle(error);
      throw error;
    },
  );
}

/** The callback may be the second or third argument, or in the configuration, which belongs to the application. */
function replaceCallback(args: unknown[], make: (callback: NodeCallback) => NodeCallback): boolean {
  for (const index of [1, 2]) {
    const callback = args[index];
    if (typeof callback !== 'function') continue;
    args[index] = make(callback as NodeCallback);
    return true;
  }
  const [config] = args;
  const callback: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'callback') : undefined;
  if (typeof callback !== 'function') return false;
  args[0] = Object.assign(Object.create(Object.getPrototypeOf(config)), config, {
    callback: make(callback as NodeCallback),
  });
  return true;
}

/** Undefined for prepared statements that are executed by name alone. */
function textOf(config: unknown): string | undefined {
  if (isSubmittable(config)) return textOfSubmittable(config);
  if (typeof config !== 'object' || config === null) return undefined;
  const text: unknown = Reflect.get(config, 'text');
  return typeof text === 'string' ? text : undefined;
}

function targetOf({ host, port, database }: Client): DatabaseTarget {
  // A host that is a path is the folder of a socket.
  const isSocket = host?.startsWith('/') === true;
  return { system: 'postgresql', namespace: database, address: host, port: isSocket ? undefined : port };
}

function isFailure(error: unknown): boolean {
  return error !== undefined && error !== null;
}

/** The server's errors carry their SQLSTATE, which is both status code and type. */
function failureOf(error: unknown): DatabaseFailure {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  return { statusCode: sqlState, type: sqlState ?? errorType(error), message: withoutValues(error) };
}

interface Result {
  readonly command?: unknown;
  readonly rows?: unknown;
  readonly rowCount?: unknown;
}

/** Several statements at once have several results. */
function outcomeOf(result: unknown): SqlOutcome {
  const results = (Array.isArray(result) ? result : [result]) as (Result | null | undefined)[];
  let rows = 0;
  let affected = 0;
  for (const each of results) {
    if (Array.isArray(each?.rows)) rows += each.rows.length;
    if (isChange(each?.command) && typeof each?.rowCount === 'number') affected += each.rowCount;
  }
  return { rows, affected };
}
