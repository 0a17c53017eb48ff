// Takes the place of the API's own version in the bundle of `register`. A copy of the API uses what is registered globally
// only if that was registered by the same or a later minor version, so the bundled copy speaks for the installed one.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const VERSION = installedVersion() ?? BUNDLED_VERSION;

function installedVersion() {
  try {
    // Its package.json cannot be asked for by name.
    let folder = dirname(createRequire(import.meta.url).resolve('@opentelemetry/api'));
    for (let depth = 0; depth < 4; depth += 1) {
      const { name, version } = readManifest(folder);
      if (name === '@opentelemetry/api') return /^1\.\d+\.\d+$/.test(version) ? version : undefined;
      folder = dirname(folder);
    }
  } catch {
    // Bundled into an application, so that no package is installed: there is no other copy to speak for.
  }
  return undefined;
}

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return {};
  }
}
