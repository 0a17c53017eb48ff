import type { InstrumentationContext } from '../../instrumentation.ts';
import { type SqliteLibrary, SqliteObserver } from './sqlite-observer.ts';

/** A function, for `register` to have the class, and all about SQL, in another file. */
export function createSqliteObserver(instrumentation: InstrumentationContext, library: SqliteLibrary): SqliteObserver {
  return new SqliteObserver(instrumentation, library);
}
