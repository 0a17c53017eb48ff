import { handleOf, type Instrumentation } from '../../instrumentation.ts';
import type { AnyFunction, LoadedModule, WrapFunction } from '../../modules/loaded-module.ts';
import { SqliteObserver } from './sqlite-observer.ts';

interface DatabaseClass {
  readonly prototype: { prepare(text: string): object };
}

interface Database {
  /** What it was opened with. */
  readonly name: string;
  readonly memory: boolean;
}

/** better-sqlite3 12 and 13: statements, `exec`, `pragma`, and the `BEGIN` and `COMMIT` of its transactions. */
export const betterSqlite3Instrumentation: Instrumentation = {
  name: 'better-sqlite3',
  enable(instrumentation) {
    const { wants, onModule, protect } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const observer = new SqliteObserver(instrumentation, {
      pathOf: (database) => ((database as Database).memory ? undefined : (database as Database).name),
      statusCodeOf: (error) => {
        const code: unknown = Reflect.get(error, 'code');
        return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
      },
    });
    return handleOf(
      onModule<DatabaseClass>(
        'better-sqlite3',
        { versions: { from: '12', below: '14' } },
        ({ prototype }, { wrap }) => {
          const wrapStatements = protect<[object], void>(statementWrapper(observer, prototype.prepare, wrap), () => {});
          const afterStatements =
            (make: WrapFunction): WrapFunction =>
            (original) => {
              const observed = make(original);
              return function (...args) {
                wrapStatements(this as object);
                return Reflect.apply(observed, this, args);
              };
            };
          const asItIs = (original: AnyFunction): AnyFunction => original;
          wrap(prototype, 'prepare', afterStatements(observer.prepare()));
          wrap(prototype, 'exec', observer.execute());
          for (const key of ['pragma', 'transaction']) wrap(prototype, key, afterStatements(asItIs));
          return undefined;
        },
      ),
    );
  },
};

/**
 * Transactions and pragmas have their statements made in native code, and the class of statements is not exported: the first
 * database shows it, by a statement that is not executed.
 */
function statementWrapper(
  observer: SqliteObserver,
  prepare: DatabaseClass['prototype']['prepare'],
  wrap: LoadedModule['wrap'],
): (database: object) => void {
  let isDone = false;
  return (database) => {
    if (isDone) return;
    let prototype: object;
    try {
      prototype = Object.getPrototypeOf(prepare.call(database, 'SELECT 1'));
    } catch {
      // The call of the application's own that follows says what is wrong with this database.
      return;
    }
    isDone = true;
    for (const method of ['run', 'get', 'all'] as const) wrap(prototype, method, observer.method(method));
    wrap(prototype, 'iterate', observer.iterate());
  };
}
