import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { engineCode } from '../store/clickhouse/engine-error.ts';
import type { ColumnResult, Connection, QueryOptions } from '../store/connection.ts';
import type { Statement } from './sql-parameters.ts';

/** What every query of one request shares. */
export interface QueryContext {
  readonly connection: Connection;
  /** Aborts when the client went away or the query was cancelled. */
  readonly signal: AbortSignal;
  /** When the request is to be done, in ms since 1970: all of its statements together. */
  readonly deadlineMs: number;
  /** The server's clock when the request came, in ms since 1970. */
  readonly nowMs: number;
}

/** Runs one statement within what is left of the request's time and gives its rows. @param limits rows of the result at most, or more about it */
export async function select<Row extends readonly unknown[]>(
  context: QueryContext,
  statement: Statement,
  limits: number | Pick<QueryOptions, 'maxResultRows' | 'isShort'> = {},
): Promise<readonly Row[]> {
  const own = typeof limits === 'number' ? { maxResultRows: limits } : limits;
  const options = { ...queryOptions(context, statement, own.maxResultRows), isShort: own.isShort };
  return (await explained(context.connection.query<Row>(statement.sql, options))).rows;
}

/** The same with the result as columns. */
export async function selectColumns(
  context: QueryContext,
  statement: Statement,
  maxResultRows?: number,
): Promise<ColumnResult> {
  const options = queryOptions(context, statement, maxResultRows);
  return await explained(context.connection.queryColumns(statement.sql, options));
}

function queryOptions(context: QueryContext, statement: Statement, maxResultRows: number | undefined): QueryOptions {
  return {
    parameters: statement.parameters,
    signal: context.signal,
    maxExecutionMs: Math.max(1, context.deadlineMs - Date.now()),
    maxResultRows,
  };
}

async function explained<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    // Of one query that is no overload that passes: it will need as much the next time.
    if (error instanceof SignalboxError && engineCode(error.cause) === memoryLimitExceeded) {
      throw new SignalboxError('too_large', 'The query needs more memory than a query may use', { cause: error });
    }
    throw error;
  }
}

/** ClickHouse's number of the error. */
const memoryLimitExceeded = 241;
