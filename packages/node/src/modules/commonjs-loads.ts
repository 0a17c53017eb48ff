import Module, { createRequire } from 'node:module';
import { types } from 'node:util';
import { wrapFunction } from './loaded-module.ts';

/** A module as `Module.prototype.load` leaves it. */
interface CommonJsModule {
  exports: unknown;
  readonly filename?: string | null;
}

const require = createRequire(import.meta.url);

/**
 * Calls `onLoad` for every file that is loaded as CommonJS right after its code has run, before whoever asked for it gets
 * its exports; what it returns becomes them, undefined leaves them. This covers `import` of CommonJS files, because Node
 * runs those through the same methods, and `require` of ES modules. It is not called for what the cache answers, so that a
 * `require` costs what it always did.
 */
export function onCommonJsLoad(onLoad: (path: string, exports: unknown) => unknown): () => void {
  const settle = (module: CommonJsModule, path: string): void => {
    const replacement = onLoad(path, module.exports);
    if (replacement !== undefined) module.exports = replacement;
  };
  // Not in `load`, at whose end Node has noted already what an `import` will get; compilers like tsx end here as well.
  const undoCompile = wrapAfter('_compile', (module, [, path]) => settle(module, String(path)));
  const undoLoad = wrapAfter('load', (module, [path]) => {
    if (types.isModuleNamespaceObject(module.exports)) settle(module, String(path));
  });
  return () => {
    undoLoad();
    undoCompile();
  };
}

function wrapAfter(
  name: '_compile' | 'load',
  after: (module: CommonJsModule, args: readonly unknown[]) => void,
): () => void {
  return wrapFunction(
    Module.prototype,
    name,
    (original) =>
      function (...args) {
        const result = Reflect.apply(original, this, args);
        after(this as CommonJsModule, args);
        return result;
      },
  );
}

/** Files of CommonJS that were loaded before now. */
export function loadedCommonJsFiles(): readonly string[] {
  return Object.keys(require.cache);
}

/** Gives a module its first exports back, for those who ask for it from now on. */
export function restoreCommonJsExports(path: string, replacement: unknown, original: unknown): void {
  const cached = require.cache[path];
  if (cached !== undefined && cached.exports === replacement) cached.exports = original;
}
