// Joins the declarations that `tsc -b` wrote, those of bundled packages included, into one file for each module system.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const folder = fileURLToPath(new URL('..', import.meta.url));
const dist = join(folder, 'dist');
const entry = join(dist, 'modules/index.d.ts');
const silent = { default: { logLevel: 'none' } };

const { succeeded } = Extractor.invoke(
  ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entry,
      bundledPackages: ['@opentelemetry/{api-logs,core,resources,sdk-logs,sdk-metrics,sdk-trace}'],
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          include: [entry],
        },
      },
      apiReport: { enabled: false },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: join(dist, 'index.d.ts') },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
      },
    },
  }),
  { localBuild: true, messageCallback: silence },
);
if (!succeeded) process.exit(1);
copyFileSync(join(dist, 'index.d.ts'), join(dist, 'index.d.cts'));
// Nothing is exported there; it is imported for what it does.
for (const ending of ['ts', 'cts']) writeFileSync(join(dist, `register.d.${ending}`), 'export {};\n');

/** Errors only: it greets on every run. */
function silence(message) {
  message.handled = message.logLevel !== 'error';
}
