import { type AnyFunction, type AnyParameters, type TracedOptions, wrapFunction } from './traced.ts';

/** Any class, those with a private constructor included. */
interface AnyClass {
  readonly name: string;
  readonly prototype: object;
}

export interface TracedClassOptions {
  /** What stands before the methods' names; the name of the class unless given. */
  readonly name?: string;
  /** Only these, by name; all that the class itself defines unless given. */
  readonly methods?: readonly string[];
}

/**
 * Standard decorator (TC39) for one method, static or not: `@tracedMethod()`. The span is named `Class.method`, after the
 * class of the object that it is called on.
 */
export function tracedMethod<Args extends AnyParameters>(options: TracedOptions<Args> = {}) {
  return <Method extends (...args: Args) => unknown>(
    method: Method,
    { name, static: isStatic }: ClassMethodDecoratorContext,
  ): Method => {
    const nameOf = (self: unknown): string => options.name ?? `${ownerOf(self, isStatic)}.${String(name)}`;
    return wrapFunction(method, nameOf, options);
  };
}

/**
 * Standard decorator for a class, and plain function for classes of others: `@tracedClass()`, or `tracedClass()(Class)`. The
 * methods that the class defines itself, static ones too, are traced as `Class.method`; constructors, accessors, what it
 * inherits, private methods and those without a name of text are left alone.
 */
export function tracedClass({ name, methods }: TracedClassOptions = {}) {
  return <Class extends AnyClass>(target: Class, _context?: ClassDecoratorContext): Class => {
    for (const holder of [target.prototype, target]) {
      for (const key of Object.getOwnPropertyNames(holder)) {
        const property = Object.getOwnPropertyDescriptor(holder, key);
        const method: unknown = property?.value;
        if (key === 'constructor' || typeof method !== 'function' || property?.configurable !== true) continue;
        if (methods !== undefined && !methods.includes(key)) continue;
        // Where a class stands in a static property, it is not called but constructed.
        if (/^class\b/.test(Function.prototype.toString.call(method))) continue;
        const full = `${name ?? target.name}.${key}`;
        Object.defineProperty(holder, key, { ...property, value: wrapFunction(method as AnyFunction, () => full, {}) });
      }
    }
    return target;
  };
}

function ownerOf(self: unknown, isStatic: boolean): string {
  const owner: unknown = isStatic ? self : typeof self === 'object' && self !== null ? self.constructor : undefined;
  return typeof owner === 'function' && owner.name !== '' ? owner.name : 'anonymous';
}
