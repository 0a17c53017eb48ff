import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

/** `file_storage`: queues are on disk without it, each in a folder of its own below the data folder. Accepted for files that name it. */
export const fileStorageFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'file_storage',
  configure(settings) {
    const directory = settings.string('directory', null);
    settings.duration('timeout', '1s');
    settings.boolean('create_directory', true);
    settings.boolean('fsync', true);
    return {
      create: ({ log }) => ({
        start: async () => {
          if (directory !== null)
            log.warn('directory is not used: queues are in the data folder (--data)', { directory });
        },
        shutdown: async () => {},
      }),
    };
  },
};

/** `zpages`: may be defined, and is refused where it is used, with what there is instead. */
export const zpagesFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'zpages',
  configure(settings) {
    settings.string('endpoint', 'localhost:55679');
    return {
      create() {
        throw new SignalboxError('unimplemented', 'The extension zpages is not supported', {
          hint: 'Leave it out of service::extensions; the page and /metrics on its port show what happens in the pipelines.',
        });
      },
    };
  },
};
