/** A file of a library that has just been loaded, in the eyes of the patch that asked for it. */
export interface LoadedModule {
  /** Of the package. */
  readonly name: string;
  readonly version: string;
  /** Inside the package, with `/`. */
  readonly file: string;
  /**
   * Puts `make(original)` in the place of the function at `target[key]`, own or inherited, with its name, length and own
   * properties. It is put back when the hook is undone, unless somebody has replaced it again by then. Throws when there
   * is no such function. What the new function throws while it works is the caller's to guard, with `protect`.
   */
  wrap(target: object, key: string, make: WrapFunction): void;
}

/** Makes the function that stands in for `original`; both are called with the receiver that the library gives them. */
export type WrapFunction = (original: AnyFunction) => AnyFunction;

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Does what `LoadedModule.wrap` says and returns what undoes it. */
export function wrapFunction(target: object, key: string, make: WrapFunction): () => void {
  const original: unknown = Reflect.get(target, key);
  if (typeof original !== 'function') throw new TypeError(`it has no function ${key}`);
  const own = Object.getOwnPropertyDescriptor(target, key);
  const replacement = make(original as AnyFunction);
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(original))) {
    const { configurable = true } = Object.getOwnPropertyDescriptor(replacement, name) ?? {};
    if (configurable) Object.defineProperty(replacement, name, property);
  }
  if (own?.configurable === false && own.writable !== true)
    throw new TypeError(`its function ${key} cannot be replaced`);
  if (own?.configurable === false) Reflect.set(target, key, replacement);
  else
    Object.defineProperty(target, key, {
      value: replacement,
      writable: true,
      configurable: true,
      enumerable: own?.enumerable ?? false,
    });
  return () => {
    if (Reflect.get(target, key) !== replacement) return;
    if (own === undefined) Reflect.deleteProperty(target, key);
    else if (own.configurable === false) Reflect.set(target, key, original);
    else Object.defineProperty(target, key, own);
  };
}
