import diagnosticsChannel from 'node:diagnostics_channel';
import { type Context, context } from '@opentelemetry/api';
import { handleOf, type Instrumentation } from '../../instrumentation.ts';
import { errorType } from '../../surfaces/operation.ts';
import type { DatabaseFailure, DatabaseTarget } from '../database-recorder.ts';
import { mysqlDialect } from './dialects.ts';
import { withoutValues } from './error-message.ts';
import { type SqlOutcome, SqlRecorder } from './sql-recorder.ts';

/** mysql2 publishes one such object through the life of a statement or a connection. */
interface MysqlMessage {
  /** Undefined for connections. */
  readonly query?: string;
  readonly database?: string;
  readonly serverAddress?: string;
  readonly serverPort?: number;
  readonly error?: unknown;
  readonly result?: unknown;
}

interface Running {
  readonly context: Context;
  readonly parent: Context;
  readonly isRecording: boolean;
  end(outcome: SqlOutcome): void;
}

/** mysql2 3.20 and later, by its tracing channels: `query`, `execute` (prepared), connections, and the way through a pool. */
export const mysql2Instrumentation: Instrumentation = {
  name: 'mysql2',
  enable(instrumentation) {
    const { wants, bindChannel, subscribe } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new SqlRecorder(instrumentation, mysqlDialect);
    const operations = new WeakMap<object, Running>();
    const begin = (message: MysqlMessage): Running | undefined => {
      if (message.query !== undefined) return recorder.begin(targetOf(message), message.query);
      const operation = recorder.connect(targetOf(message));
      return operation && { ...operation, isRecording: false, end: ({ failure }) => operation.end({ failure }) };
    };
    const end = (message: MysqlMessage): void => {
      const operation = operations.get(message);
      operation?.end(outcomeOf(message, operation.isRecording));
    };

    const statements = ['query', 'execute', 'connect'].flatMap((name) => {
      const channel = `tracing:mysql2:${name}`;
      return [
        bindChannel(diagnosticsChannel.channel(`${channel}:start`), (published) => {
          const operation = begin(published as MysqlMessage);
          if (operation === undefined) return context.active();
          operations.set(published as object, operation);
          return operation.context;
        }),
        // It is over when the callback begins, which runs in the caller's context again.
        bindChannel(diagnosticsChannel.channel(`${channel}:asyncStart`), (published) => {
          end(published as MysqlMessage);
          return operations.get(published as object)?.parent ?? context.active();
        }),
        // Promises are announced without running anything, and what throws at once has no callback.
        subscribe(`${channel}:asyncStart`, (published) => end(published as MysqlMessage)),
        subscribe(`${channel}:end`, (published) => {
          if ((published as MysqlMessage).error !== undefined) end(published as MysqlMessage);
        }),
      ];
    });

    // A full pool calls whoever waits from within the release of another request.
    const callers = new WeakMap<object, Context>();
    const pool = 'tracing:mysql2:pool:connect';
    return handleOf(
      ...statements,
      subscribe(`${pool}:start`, (published) => void callers.set(published as object, context.active())),
      bindChannel(
        diagnosticsChannel.channel(`${pool}:asyncStart`),
        (published) => callers.get(published as object) ?? context.active(),
      ),
    );
  },
};

function targetOf({ database, serverAddress, serverPort }: MysqlMessage): DatabaseTarget {
  return { system: 'mysql', namespace: database || undefined, address: serverAddress, port: serverPort };
}

function outcomeOf({ error, result }: MysqlMessage, isRecording: boolean): SqlOutcome {
  if (error !== undefined) return { failure: failureOf(error) };
  return isRecording ? { rows: rowsOf(result), affected: affectedOf(result) } : {};
}

/** The server's number is the status code, its name (`ER_DUP_ENTRY`) the type. */
function failureOf(error: unknown): DatabaseFailure {
  const errno: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'errno') : undefined;
  // Negative numbers are those of the operating system.
  const statusCode = typeof errno === 'number' && errno > 0 ? String(errno) : undefined;
  return { statusCode, type: errorType(error), message: withoutValues(error) };
}

/** A statement that answers no rows says how many it changed. */
function affectedOf(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  const affected: unknown = Reflect.get(result, 'affectedRows');
  return typeof affected === 'number' ? affected : undefined;
}

/** Rows, which may be arrays of values; for several statements a list of lists of rows. */
function rowsOf(result: unknown): number | undefined {
  if (!Array.isArray(result)) return undefined;
  const lists = result.filter((each) => Array.isArray(each) && typeof each[0] === 'object');
  return lists.length === 0 ? result.length : lists.reduce((sum, each) => sum + each.length, 0);
}
