import { context } from '@opentelemetry/api';
import type { InstrumentationContext } from '../../instrumentation.ts';
import type { AnyFunction, WrapFunction } from '../../modules/loaded-module.ts';
import { errorType } from '../../surfaces/operation.ts';
import type { DatabaseFailure, DatabaseTarget } from '../database-recorder.ts';
import { sqliteDialect } from './dialects.ts';
import { withoutValues } from './error-message.ts';
import { type SqlOperation, type SqlOutcome, SqlRecorder } from './sql-recorder.ts';

export interface SqliteLibrary {
  /** The path of a database's file; nothing where it is in memory. */
  pathOf(database: object): string | null | undefined;
  /** What SQLite calls an error; undefined for errors that are not its own. */
  statusCodeOf(error: object): string | undefined;
}

export interface Executed {
  readonly database: object;
  readonly text: string;
}

type Method = 'run' | 'get' | 'all';

/** What a call executes; undefined where that is not known. */
export type ExecutedOf = (receiver: object, args: readonly unknown[]) => Executed | undefined;

/**
 * What libraries for SQLite have in common: they execute at once, in this thread, and their statements have `run`, `get`, `all`
 * and `iterate`. Functions of SQL that the application wrote run inside the span of the statement that calls them.
 */
export class SqliteObserver {
  readonly #library: SqliteLibrary;
  readonly #recorder: SqlRecorder;
  readonly #targets = new WeakMap<object, DatabaseTarget>();
  readonly #statements = new WeakMap<object, Executed>();
  readonly #begin: (executedOf: ExecutedOf, receiver: object, args: readonly unknown[]) => SqlOperation | undefined;
  readonly #failure: (error: unknown) => SqlOutcome;
  readonly #keep: (statement: unknown, database: object, args: readonly unknown[]) => void;

  constructor(instrumentation: InstrumentationContext, library: SqliteLibrary) {
    this.#library = library;
    this.#recorder = new SqlRecorder(instrumentation, sqliteDialect);
    const { protect } = instrumentation;
    this.#begin = protect<[ExecutedOf, object, readonly unknown[]], SqlOperation | undefined>(
      (executedOf, receiver, args) => {
        const executed = executedOf(receiver, args);
        return executed && this.#recorder.begin(this.#targetOf(executed.database), executed.text);
      },
      () => undefined,
    );
    this.#failure = protect<[unknown], SqlOutcome>(
      (error) => ({ failure: this.#failureOf(error) }),
      () => ({ failure: { type: '_OTHER', message: '' } }),
    );
    this.#keep = protect<[unknown, object, readonly unknown[]], void>(
      (statement, database, args) => {
        const executed = ownText(database, args);
        if (typeof statement === 'object' && statement !== null && executed !== undefined)
          this.#statements.set(statement, executed);
      },
      () => {},
    );
  }

  /** Wraps what prepares statements. One that cannot be prepared is a statement that failed. */
  prepare(): WrapFunction {
    const observer = this;
    return (original) =>
      function (...args) {
        let statement: unknown;
        try {
          statement = Reflect.apply(original, this, args);
        } catch (error) {
          observer.#begin(ownText, this as object, args)?.end(observer.#failure(error));
          throw error;
        }
        observer.#keep(statement, this as object, args);
        return statement;
      };
  }

  /** Wraps what executes a text, which is its first argument. */
  execute(): WrapFunction {
    return (original) => this.#observed(original, ownText);
  }

  /** Wraps a method of statements, or of what else `executedOf` knows the text of. */
  method(method: Method, executedOf = this.#executedOf): WrapFunction {
    return (original) => this.#observed(original, executedOf, (result) => outcomeOf(method, result));
  }

  /** Wraps a statement's `iterate`. It begins with the first row that is asked for, and is over with the last. */
  iterate(executedOf = this.#executedOf): WrapFunction {
    const observer = this;
    return (original) =>
      function (...args) {
        const iterator = Reflect.apply(original, this, args) as Iterator<unknown>;
        observer.#follow(iterator, () => observer.#begin(executedOf, this as object, args));
        return iterator;
      };
  }

  /** Statements that did not come through `prepare`, as those of better-sqlite3's transactions, name their text themselves. */
  readonly #executedOf: ExecutedOf = (statement) => {
    const known = this.#statements.get(statement);
    if (known !== undefined) return known;
    const database: unknown = Reflect.get(statement, 'database');
    const text: unknown = Reflect.get(statement, 'source');
    if (typeof database !== 'object' || database === null || typeof text !== 'string') return undefined;
    const executed = { database, text };
    this.#statements.set(statement, executed);
    return executed;
  };

  #observed(
    original: AnyFunction,
    executedOf: ExecutedOf,
    outcome: (result: unknown) => SqlOutcome = () => ({}),
  ): AnyFunction {
    const observer = this;
    return function (...args) {
      const operation = observer.#begin(executedOf, this as object, args);
      if (operation === undefined) return Reflect.apply(original, this, args);
      return observer.#step(
        operation,
        () => Reflect.apply(original, this, args),
        (result) => operation.end(outcome(result)),
      );
    };
  }

  #step<Result>(operation: SqlOperation, run: () => Result, onResult: (result: Result) => void): Result {
    let result: Result;
    try {
      result = context.with(operation.context, run);
    } catch (error) {
      operation.end(this.#failure(error));
      throw error;
    }
    onResult(result);
    return result;
  }

  #follow(iterator: Iterator<unknown>, begin: () => SqlOperation | undefined): void {
    const { next, return: stop } = iterator;
    let operation: SqlOperation | undefined;
    let hasBegun = false;
    let rows = 0;
    iterator.next = () => {
      if (!hasBegun) operation = begin();
      hasBegun = true;
      if (operation === undefined) return next.call(iterator);
      return this.#step(
        operation,
        () => next.call(iterator),
        ({ done }) => {
          if (done === true) operation?.end({ rows });
          else rows += 1;
        },
      );
    };
    if (stop !== undefined)
      iterator.return = (...values) => {
        operation?.end({ rows });
        return stop.apply(iterator, values);
      };
  }

  #targetOf(database: object): DatabaseTarget {
    let target = this.#targets.get(database);
    if (target === undefined) {
      // The name of the file alone: its folder is often somebody's home.
      const path = this.#library.pathOf(database);
      target = { system: 'sqlite', namespace: path?.replace(/^.*[/\\]/s, '') || undefined };
      this.#targets.set(database, target);
    }
    return target;
  }

  #failureOf(error: unknown): DatabaseFailure {
    const statusCode = typeof error === 'object' && error !== null ? this.#library.statusCodeOf(error) : undefined;
    return { statusCode, type: statusCode ?? errorType(error), message: withoutValues(error) };
  }
}

/** Of functions of a database, whose first argument is the text. */
function ownText(database: object, [text]: readonly unknown[]): Executed | undefined {
  return typeof text === 'string' ? { database, text } : undefined;
}

function outcomeOf(method: Method, result: unknown): SqlOutcome {
  if (method === 'all') return { rows: Array.isArray(result) ? result.length : undefined };
  if (method === 'get') return { rows: result === undefined ? 0 : 1 };
  const changes: unknown = typeof result === 'object' && result !== null ? Reflect.get(result, 'changes') : undefined;
  return typeof changes === 'number' || typeof changes === 'bigint' ? { affected: Number(changes) } : {};
}
