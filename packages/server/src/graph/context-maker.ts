import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingText } from '../config/settings-map.ts';
import type { ComponentContext } from '../pipeline/component-context.ts';
import type { ComponentKind } from '../pipeline/component-factory.ts';
import type { Extension } from '../pipeline/extension.ts';
import type { Logger } from '../pipeline/logger.ts';
import type { Telemetry } from '../pipeline/telemetry.ts';

/** What a graph needs of the program around it. */
export interface GraphEnvironment {
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** The program's; components have folders below it. */
  readonly dataFolder: string;
}

/** Makes the contexts of a graph's components. */
export class ContextMaker {
  readonly #environment: GraphEnvironment;
  readonly #extensions: ReadonlyMap<string, Extension>;

  /** @param extensions those in use; may be filled later, but before a component asks */
  constructor(environment: GraphEnvironment, extensions: ReadonlyMap<string, Extension>) {
    this.#environment = environment;
    this.#extensions = extensions;
  }

  context(kind: ComponentKind, id: string, pipeline: string | null = null): ComponentContext {
    const { telemetry, log, dataFolder } = this.#environment;
    return {
      id,
      pipeline,
      telemetry,
      now: Date.now,
      log: log.with({ [kind]: id, ...(pipeline === null ? {} : { pipeline }) }),
      folder() {
        const name = [kind, id, ...(pipeline === null ? [] : [pipeline])].map(encodeURIComponent).join('-');
        const folder = join(dataFolder, 'components', name);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        return folder;
      },
      serverAuthenticator: (name) => this.#authenticator(name, 'serverAuthenticator', 'check who sends'),
      clientAuthenticator: (name) => this.#authenticator(name, 'clientAuthenticator', 'say who we are'),
    };
  }

  #authenticator<Part extends 'serverAuthenticator' | 'clientAuthenticator'>(
    name: SettingText,
    part: Part,
    purpose: string,
  ): NonNullable<Extension[Part]> {
    const extension = this.#extensions.get(name.text);
    if (extension === undefined) {
      const known = [...this.#extensions.keys()].join(', ') || 'none';
      throw name.fail(`there is no extension "${name.text}" in service::extensions (there: ${known})`);
    }
    const found = extension[part];
    if (found === undefined) throw name.fail(`the extension "${name.text}" can't ${purpose}`);
    return found;
  }
}
