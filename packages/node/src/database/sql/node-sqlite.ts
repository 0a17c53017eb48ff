import { handleOf, type Instrumentation } from '../../instrumentation.ts';
import { loadBuiltin } from '../../modules/load-builtin.ts';
import { type AnyFunction, type WrapFunction, wrapFunction } from '../../modules/loaded-module.ts';
import { createSqliteObserver } from './create-sqlite-observer.ts';
import type { ExecutedOf, SqliteObserver } from './sqlite-observer.ts';

/** `node:sqlite`, as far as it is used here. Its newer names (`Database`, `Statement`) are the same classes. */
interface Sqlite {
  readonly DatabaseSync: { readonly prototype: object };
  readonly StatementSync: { readonly prototype: object };
}

interface Database {
  /** Since Node 22.16. */
  location?(): string | null;
}

/** Keeps statements by their template's texts, and has the methods of statements: ``store.get`SELECT ${1}` ``. */
interface TagStore {
  readonly db: object;
}

const methods = ['run', 'get', 'all'] as const;

/**
 * Node's own SQLite, where it is there without a flag (22.13). Its classes are wrapped at the start, because that an `import`
 * loads a part of Node cannot be seen, not even with hooks, which would cost the loading of every other module something. Its
 * diagnostics channel (Node 26) tells nothing of failures, and texts with their values in them.
 */
export const nodeSqliteInstrumentation: Instrumentation = {
  name: 'node-sqlite',
  enable(instrumentation) {
    const { wants, protect } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const sqlite = loadBuiltin<Sqlite>('node:sqlite');
    if (sqlite === undefined) return handleOf();
    const { DatabaseSync, StatementSync } = sqlite.exports;
    let observer: SqliteObserver | undefined;
    const observerOf = protect<[], SqliteObserver | undefined>(
      () => {
        observer ??= createSqliteObserver(instrumentation, {
          pathOf: (database) => (database as Database).location?.(),
          statusCodeOf: (error) => {
            const code: unknown = Reflect.get(error, 'errcode');
            return typeof code === 'number' ? String(code) : undefined;
          },
        });
        return observer;
      },
      () => undefined,
    );
    const undo: (() => void)[] = [];
    // Most programs open no database: what observes them is made for the first that does.
    const wrap = (target: object, key: string, make: (observer: SqliteObserver) => WrapFunction): void => {
      const observed: WrapFunction = (original) => {
        let replacement: AnyFunction | undefined;
        return function (...args) {
          if (replacement === undefined) {
            const made = observerOf();
            replacement = made === undefined ? original : make(made)(original);
          }
          return Reflect.apply(replacement, this, args);
        };
      };
      undo.push(wrapFunction(target, key, observed));
    };
    const withWarning =
      (make: WrapFunction): WrapFunction =>
      (original) => {
        const observed = make(original);
        return function (...args) {
          sqlite.warn();
          return Reflect.apply(observed, this, args);
        };
      };
    const wrapTagStores = protect<[object], void>(
      (prototype) => {
        for (const method of methods) wrap(prototype, method, (made) => made.method(method, templateOf));
        wrap(prototype, 'iterate', (made) => made.iterate(templateOf));
      },
      () => {},
    );

    wrap(DatabaseSync.prototype, 'prepare', (made) => withWarning(made.prepare()));
    wrap(DatabaseSync.prototype, 'exec', (made) => withWarning(made.execute()));
    // Since Node 24.9. Their class is not exported: the first of them shows it.
    if ('createTagStore' in DatabaseSync.prototype)
      wrap(DatabaseSync.prototype, 'createTagStore', () => withWarning((create) => onFirst(create, wrapTagStores)));
    for (const method of methods) wrap(StatementSync.prototype, method, (made) => made.method(method));
    wrap(StatementSync.prototype, 'iterate', (made) => made.iterate());
    return handleOf(() => {
      for (const restore of undo.splice(0).reverse()) restore();
    });
  },
};

/** Hands the prototype of what `create` returns to `onPrototype`, once. */
function onFirst(create: AnyFunction, onPrototype: (prototype: object) => void): AnyFunction {
  let hasSeen = false;
  return function (...args) {
    const created = Reflect.apply(create, this, args) as object;
    if (!hasSeen) onPrototype(Object.getPrototypeOf(created));
    hasSeen = true;
    return created;
  };
}

const templateOf: ExecutedOf = (store, [texts]) =>
  Array.isArray(texts) ? { database: (store as TagStore).db, text: texts.join('?') } : undefined;
