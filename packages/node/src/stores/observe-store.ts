import { hostname } from 'node:os';
import { type Failure, observeCall } from '../surfaces/operation.ts';
import { type StoreOutcome, storeSurface } from './store-surface.ts';

export interface StoreOptions {
  /** `namespace` of the metrics, `kv.namespace` of the spans: which store it is. */
  readonly namespace: string;
  /** `kv.node`: where the store is. This host unless given. */
  readonly node?: string;
  /**
   * The methods that are operations, each with the `op` it is called; `get`, `set`, `put`, `has`, and as `delete` also `del`
   * and `remove`, unless given. Their first parameter is the key.
   */
  readonly operations?: Readonly<Record<string, string>>;
  /** `true` records keys as `kv.key`; a function says what of a key may be recorded. Nothing is unless given. */
  readonly keys?: boolean | ((key: string) => string);
  /**
   * Whether what an operation answered says that there was nothing; unless given, `undefined` and `null` of `get`, `false` and 0
   * of `has` and `delete`.
   */
  readonly isMissing?: (value: unknown, op: string) => boolean;
  /** Whether what an operation threw says that there is nothing, where that is no failure. Never unless given. */
  readonly isMissingError?: (error: unknown, op: string) => boolean;
}

const usual: Readonly<Record<string, string>> = {
  get: 'get',
  set: 'set',
  put: 'put',
  has: 'has',
  delete: 'delete',
  del: 'delete',
  remove: 'delete',
};

/** Operations that look for something: their spans say whether it was found. */
const lookups: ReadonlySet<string> = new Set(['get', 'has']);

/**
 * Wraps any store, synchronous or not: a `Map`, a client, the application's own. What is returned behaves as `store` does, and
 * its operations have spans and metrics; whoever holds `store` itself goes on unobserved.
 */
export function observeStore<Store extends object>(store: Store, options: StoreOptions): Store {
  const operations = options.operations ?? usual;
  const node = options.node ?? hostname();
  const known = new Map<string | symbol, { readonly of: unknown; readonly method: unknown }>();
  // Whatever is reached through `this` is the store itself: private fields do not go through a proxy.
  const observed: Store = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function' || property === 'constructor' || isFixed(target, property)) return value;
      const seen = known.get(property);
      if (seen?.of === value) return seen.method;
      const op = typeof property === 'string' && Object.hasOwn(operations, property) ? operations[property] : undefined;
      const call = (args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        return result === target ? observed : result;
      };
      const method =
        op === undefined
          ? (...args: unknown[]) => call(args)
          : (...args: unknown[]) => observe(options, node, op, args[0], () => call(args));
      known.set(property, { of: value, method });
      return method;
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  });
  return observed;
}

/**
 * Counts a lookup that went through the tiers of a cache: `tier` is the one that had it, `undefined` if none had
 * (`cache.hits` by `tier`, `cache.misses`); the active span gets `cache.hit` and `cache.tier`.
 */
export function recordCacheLookup(tier: string | undefined): void {
  storeSurface.recorder()?.lookup(tier);
}

function observe(options: StoreOptions, node: string, op: string, key: unknown, run: () => unknown): unknown {
  const operation = storeSurface.recorder()?.begin(() => ({
    namespace: options.namespace,
    op,
    node,
    key: shownKey(key, options),
    outcomeOf: (failure, answer) => outcomeOf(op, failure, answer, options),
  }));
  return observeCall(operation, run);
}

function outcomeOf(
  op: string,
  failure: Failure | undefined,
  answer: unknown,
  { isMissing = isNothing, isMissingError }: StoreOptions,
): StoreOutcome {
  if (failure !== undefined && isMissingError?.(failure.error, op) !== true) return { result: 'error' };
  const isMissed = failure !== undefined || isMissing(answer, op);
  return { result: isMissed ? 'not_found' : 'ok', ...(lookups.has(op) && { found: !isMissed }) };
}

/** `false` and 0 are values like others, unless the operation answers whether, or how many, there were. */
function isNothing(answer: unknown, op: string): boolean {
  if (op === 'get') return answer === undefined || answer === null;
  return (op === 'has' || op === 'delete') && (answer === false || answer === 0);
}

/** A proxy has to answer what a frozen object has of its own. */
function isFixed(target: object, property: string | symbol): boolean {
  const own = Reflect.getOwnPropertyDescriptor(target, property);
  return own !== undefined && own.configurable === false && own.writable === false;
}

function shownKey(key: unknown, { keys }: StoreOptions): string | undefined {
  if (keys === undefined || keys === false) return undefined;
  const text = String(key);
  return keys === true ? text : keys(text);
}
