import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { loadedCommonJsFiles, onCommonJsLoad, restoreCommonJsExports } from './commonjs-loads.ts';
import { onEsModuleLoad } from './es-module-loads.ts';
import { installedFolders, packageFileOf, readPackage } from './installed-package.ts';
import { isPreloaded, loadedEsModules } from './loaded-es-modules.ts';
import { type LoadedModule, wrapFunction } from './loaded-module.ts';
import { isInRange, type VersionRange } from './version-range.ts';

/** Which files of a library are meant. */
export interface ModuleSelection {
  /** Files of other versions are left alone, with a warning. Unset: all. */
  readonly versions?: VersionRange;
  /** Paths inside the package, with `/`; for packages of two forms name the file of each. Unset: its entry. */
  readonly files?: readonly string[];
}

/**
 * Changes what a library exports. Under CommonJS `exports` is `module.exports` itself; an ES module's is a namespace whose
 * existing names can be set, also where it was asked for with `require`. What is returned becomes `module.exports`, or,
 * name by name, part of the namespace.
 */
export type ModulePatch<Exports> = (exports: Exports, module: LoadedModule) => Exports | undefined;

interface Hook extends ModuleSelection {
  readonly name: string;
  /** Already guarded: it reports what it throws and answers undefined. */
  readonly patch: ModulePatch<unknown>;
  readonly warn: (message: string) => void;
  /** What takes back the changes made so far. */
  readonly undo: (() => void)[];
}

interface HookedFile {
  readonly hook: Hook;
  readonly file: string;
  readonly version: string;
}

/** The libraries that instrumentations want to change when they are loaded. Nothing is hooked before `install`. */
export class ModuleHooks {
  readonly #hooks = new Map<string, Hook[]>();
  /** By the names of packages: what is to be called before the hooks of one are looked for. */
  readonly #awaited = new Map<string, Set<() => void>>();
  /** Paths of those that were patched. */
  readonly #esModules = new Set<string>();
  readonly #uninstall: (() => void)[] = [];

  /** Returns what ends it and takes back its changes. Hooks that are added after `install` don't see ES modules. */
  add(hook: Omit<Hook, 'undo'>): () => void {
    const added: Hook = { ...hook, undo: [] };
    this.#hooks.set(hook.name, [...(this.#hooks.get(hook.name) ?? []), added]);
    return () => {
      const kept = (this.#hooks.get(hook.name) ?? []).filter((each) => each !== added);
      if (kept.length === 0) this.#hooks.delete(hook.name);
      else this.#hooks.set(hook.name, kept);
      for (let undo = added.undo.pop(); undo !== undefined; undo = added.undo.pop()) undo();
    };
  }

  /**
   * Calls `onPackage`, which may add hooks, when `install` finds one of the packages installed, or else before the first of their
   * files that is loaded gets its hooks. It must not throw. Returns what ends the waiting.
   */
  await(packages: readonly string[], onPackage: () => void): () => void {
    for (const name of packages) this.#awaited.set(name, (this.#awaited.get(name) ?? new Set()).add(onPackage));
    return () => {
      for (const name of packages) this.#awaited.get(name)?.delete(onPackage);
    };
  }

  /** Begins to watch what is loaded, as far as there is anything to watch for. */
  install(warn: (message: string) => void): void {
    if (this.#hooks.size === 0 && this.#awaited.size === 0) return;
    const foldersOf = installedFolders();
    for (const name of this.#awaited.keys()) if (foldersOf(name).length > 0) this.#found(name);
    this.#warnOfLoaded(loadedCommonJsFiles());
    this.#uninstall.push(onCommonJsLoad((path, exports) => this.#patchRequired(path, exports)));
    const urls = this.#esModuleUrls(foldersOf);
    if (urls.length === 0) return;
    if (!isPreloaded()) this.#warnOfLoaded(loadedEsModules());
    try {
      this.#uninstall.push(
        onEsModuleLoad(urls, (path, namespace) => void this.#patchNamespace(this.#hooksOf(path), path, namespace)),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warn(`libraries that are ES modules (${[...this.#hooks.keys()].join(', ')}) are not instrumented: ${reason}`);
    }
  }

  uninstall(): void {
    for (const uninstall of this.#uninstall.splice(0)) uninstall();
  }

  #found(name: string): void {
    const waiting = this.#awaited.get(name);
    if (waiting === undefined) return;
    this.#awaited.delete(name);
    for (const onPackage of waiting) onPackage();
  }

  /** What the program gets instead of what it required; undefined where that stays. */
  #patchRequired(path: string, exports: unknown): unknown {
    const hooked = this.#hooksOf(path);
    if (hooked.length === 0) return undefined;
    if (types.isModuleNamespaceObject(exports)) {
      // Such a namespace cannot be changed: whoever asks for an ES module with `require` gets a copy that can.
      const copy = Object.assign({}, exports);
      return this.#patchNamespace(hooked, path, copy) ? copy : undefined;
    }
    let current = exports;
    const replace = (replacement: object, before: unknown): (() => void) => {
      current = replacement;
      return () => restoreCommonJsExports(path, replacement, before);
    };
    for (const each of hooked) applyPatch(each, current, replace);
    return current === exports ? undefined : current;
  }

  /** False if it was done before: an ES module that is imported and required has the same classes in two namespaces. */
  #patchNamespace(hooked: readonly HookedFile[], path: string, namespace: object): boolean {
    if (this.#esModules.has(path)) return false;
    this.#esModules.add(path);
    for (const each of hooked) applyPatch(each, namespace, (replacement) => assignExports(namespace, replacement));
    return true;
  }

  /** Asked for every file that the program loads: it must be quick to say that there are none. */
  #hooksOf(path: string): readonly HookedFile[] {
    const location = packageFileOf(path);
    if (location !== undefined) this.#found(location.name);
    const hooks = location === undefined ? undefined : this.#hooks.get(location.name);
    if (location === undefined || hooks === undefined) return [];
    const installed = readPackage(location.folder);
    if (installed === undefined) return [];
    const { file } = location;
    return hooks
      .filter(({ files }) => (files === undefined ? installed.entries.has(file) : files.includes(file)))
      .map((hook) => ({ hook, file, version: installed.version }));
  }

  /** One pattern for each ES module that is wanted, of the libraries that this program could load. */
  #esModuleUrls(foldersOf: (name: string) => readonly string[]): RegExp[] {
    const urls = new Set<string>();
    for (const [name, hooks] of this.#hooks) {
      for (const folder of foldersOf(name)) {
        const installed = readPackage(folder);
        if (installed === undefined) continue;
        const wanted = new Set(hooks.flatMap(({ files }) => files ?? [...installed.entries]));
        for (const file of wanted)
          if (installed.isEsModule(file)) urls.add(pathToFileURL(`/node_modules/${name}/${file}`).pathname);
      }
    }
    return [...urls].map((path) => new RegExp(`${path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
  }

  #warnOfLoaded(paths: readonly string[]): void {
    for (const path of paths) {
      for (const { hook } of this.#hooksOf(path))
        hook.warn(
          `${hook.name} was loaded before telemetry started, so it is not instrumented; start telemetry first: node --import @signalbox/node/register`,
        );
    }
  }
}

/** `replace` puts what the patch returned in the place of what it was given, and returns what undoes that. */
function applyPatch(
  { hook, file, version }: HookedFile,
  exports: unknown,
  replace: (replacement: object, before: unknown) => () => void,
): void {
  if (hook.versions !== undefined && !isInRange(version, hook.versions)) {
    hook.warn(`${hook.name} ${version} is not instrumented, only versions ${describeRange(hook.versions)}`);
    return;
  }
  const replacement = hook.patch(exports, {
    name: hook.name,
    version,
    file,
    wrap: (target, key, make) => void hook.undo.push(wrapFunction(target, key, make)),
  });
  if (isObject(replacement) && replacement !== exports) hook.undo.push(replace(replacement, exports));
}

function assignExports(namespace: object, replacement: object): () => void {
  const before = new Map<string, unknown>();
  for (const [name, value] of Object.entries(replacement)) {
    if (!(name in namespace)) continue;
    before.set(name, Reflect.get(namespace, name));
    Reflect.set(namespace, name, value);
  }
  return () => {
    for (const [name, value] of before) Reflect.set(namespace, name, value);
  };
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function describeRange({ from, below }: VersionRange): string {
  return [from === undefined ? '' : `from ${from}`, below === undefined ? '' : `below ${below}`].join(' ').trim();
}
