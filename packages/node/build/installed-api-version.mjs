// Takes the place of the API's own version in the bundle of `register`. A copy of the API uses what is registered globally
// only if that was registered by the same or a later minor version, so the bundled copy speaks for the installed one.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const api = '@opentelemetry/api';

export const VERSION = installedVersion() ?? BUNDLED_VERSION;

function installedVersion() {
  try {
    const version = versionNearby() ?? versionOfRequired();
    return /^1\.\d+\.\d+$/.test(version) ? version : undefined;
  } catch {
    // Bundled into an application, so that no package is installed: there is no other copy to speak for.
    return undefined;
  }
}

/** Of the package in the first of the folders in which Node looks. Asking Node itself takes two milliseconds of every start. */
function versionNearby() {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const path = join(folder, 'node_modules', api, 'package.json');
    if (existsSync(path)) return readManifest(path).version;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** Where packages are not in such folders, as with Yarn's Plug'n'Play. Its package.json cannot be asked for by name. */
function versionOfRequired() {
  let folder = dirname(createRequire(import.meta.url).resolve(api));
  for (let depth = 0; depth < 4; depth += 1) {
    const path = join(folder, 'package.json');
    const { name, version } = existsSync(path) ? readManifest(path) : {};
    if (name === api) return version;
    folder = dirname(folder);
  }
  return undefined;
}

function readManifest(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
