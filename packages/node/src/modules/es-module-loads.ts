import Module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HookFunction } from 'import-in-the-middle';

const require = createRequire(import.meta.url);

/**
 * Calls `onLoad` for the ES modules whose URLs fit one of `urls`, with a namespace in which existing names can be set.
 * They are wrapped by import-in-the-middle: in this thread where Node's synchronous hooks are whole, otherwise through a
 * loader thread, which costs some 40 ms at start. Only modules that are loaded later are seen. Nodes that run neither
 * (none that we support) would throw. The wrapping of modules cannot be taken back; the calls end with the returned function.
 */
export function onEsModuleLoad(urls: readonly RegExp[], onLoad: (path: string, exports: object) => void): () => void {
  // Loaded here, because programs without such libraries shall not pay for it.
  const { addHook, removeHook } = require('import-in-the-middle') as typeof import('import-in-the-middle');
  const hook: HookFunction = (url, namespace, _specifier, format) => {
    if (format === 'commonjs' || !url.startsWith('file:')) return;
    if (urls.some((pattern) => pattern.test(url))) onLoad(fileURLToPath(url), namespace);
  };
  addHook(hook);
  if (hasWholeSynchronousHooks()) {
    const { register } =
      require('import-in-the-middle/register-hooks.mjs') as typeof import('import-in-the-middle/register-hooks.mjs');
    register({ include: [...urls] });
  } else Module.register('import-in-the-middle/hook.mjs', import.meta.url, { data: { include: [...urls] } });
  return () => removeHook(hook);
}

/**
 * `module.registerHooks` refused CommonJS without source until 22.22.3, 24.11.1 and 25.1 (nodejs/node#59929). The library
 * has the same test, but in a file that these older versions cannot `require`.
 */
export function hasWholeSynchronousHooks(): boolean {
  const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map((part) => Number.parseInt(part, 10));
  if (major === 22) return minor > 22 || (minor === 22 && patch >= 3);
  if (major === 24) return minor > 11 || (minor === 11 && patch >= 1);
  return major === 25 ? minor >= 1 : major > 25;
}
