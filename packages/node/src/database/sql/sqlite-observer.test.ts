import { expect, test } from 'vitest';
import { handleOf, type Instrumentation } from '../../instrumentation.ts';
import { wrapFunction } from '../../modules/loaded-module.ts';
import { record } from '../../testing/record.ts';
import { type SqliteLibrary, SqliteObserver } from './sqlite-observer.ts';

/** A statement as both libraries have them, as far as it matters what goes wrong around it. */
class Statement {
  readonly database = {};
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
  all(): number[] {
    return [1, 2];
  }
  run(): never {
    throw new Error('refused');
  }
  *iterate(): Generator<number> {
    yield 1;
    throw new Error('broken');
  }
}

function instrumentationOf(library: SqliteLibrary): Instrumentation {
  return {
    name: 'sqlite-stand-in',
    enable(instrumentation) {
      const observer = new SqliteObserver(instrumentation, library);
      return handleOf(
        wrapFunction(Statement.prototype, 'all', observer.method('all')),
        wrapFunction(Statement.prototype, 'run', observer.method('run')),
        wrapFunction(Statement.prototype, 'iterate', observer.iterate()),
      );
    },
  };
}

test('what fails inside of the instrumentation does not reach the application', async () => {
  const broken = (): never => {
    throw new Error('of the instrumentation');
  };
  const sink = await record([instrumentationOf({ pathOf: broken, statusCodeOf: broken })], () => {
    const statement = new Statement('SELECT 1');
    expect(statement.all()).toEqual([1, 2]);
    expect(() => statement.run()).toThrow('refused');
    expect(statement.iterate().next()).toEqual({ value: 1, done: false });
  });
  expect(sink.spans).toEqual([]);
});

test('an error whose code cannot be read is an error all the same', async () => {
  const statusCodeOf = (): never => {
    throw new Error('of the instrumentation');
  };
  const sink = await record([instrumentationOf({ pathOf: () => '/home/somebody/app.db', statusCodeOf })], () => {
    expect(() => new Statement('SELECT 1').run()).toThrow('refused');
    const rows = new Statement('SELECT 2 FROM t').iterate();
    rows.next();
    expect(() => rows.next()).toThrow('broken');
  });
  expect(sink.spans.map(({ name, status, attributes }) => [name, status.code, attributes['db.namespace']])).toEqual([
    ['SELECT', 2, 'app.db'],
    ['SELECT t', 2, 'app.db'],
  ]);
});
