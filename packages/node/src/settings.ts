import { type ConfigurationFile, readConfigurationFile } from './declarative/load-configuration-file.ts';
import { mergeOptions } from './declarative/merge-options.ts';
import { Environment } from './environment.ts';
import type { StartOptions } from './options.ts';
import { propagatorOf } from './propagation/propagator-from-environment.ts';
import type { Warnings } from './warnings.ts';

/** Where everything that runs takes its configuration from. */
export interface Settings {
  readonly isDisabled: boolean;
  readonly options: StartOptions;
  /** Has no variable when there is a file: the specification lets the file take the place of them all. */
  readonly env: Environment;
  readonly logLevel: string | undefined;
}

/** A file that is wrong in many places is wrong in its first. */
const maxReported = 10;

/**
 * The options given to `start` and the variables, or the options over the file that OTEL_CONFIG_FILE names
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#declarative-configuration). With a file
 * that cannot be used everything is off, and what is wrong is said.
 */
export function resolveSettings(
  options: StartOptions,
  variables: Readonly<Record<string, string | undefined>>,
  warnings: Warnings,
): Settings {
  const env = new Environment(variables, warnings);
  const path = configurationFilePath(env);
  if (path === undefined)
    return { isDisabled: isDisabled(env), options, env, logLevel: variables.OTEL_LOG_LEVEL?.toLowerCase() };
  const nothing = new Environment({}, warnings);
  const file = readFile(path, variables, warnings);
  if (file === undefined) return { isDisabled: true, options, env: nothing, logLevel: undefined };
  const merged = mergeOptions(file.options, options);
  return {
    isDisabled: file.disabled,
    options: {
      disabledInstrumentations: file.disabledInstrumentations,
      ...merged,
      propagator: merged.propagator ?? propagatorOf(file.propagators, `${path}: propagator`, warnings),
    },
    env: nothing,
    logLevel: file.logLevel,
  };
}

/** The variable's name of today, else that of before it was stable. */
export function configurationFilePath(env: Environment): string | undefined {
  return env.string('OTEL_CONFIG_FILE') ?? env.string('OTEL_EXPERIMENTAL_CONFIG_FILE');
}

/** The specification's own variable, and the one that deployments of before it set to `true`. */
export function isDisabled(env: Environment): boolean {
  const isOff = env.boolean('OTEL_SDK_DISABLED') === true;
  return env.boolean('OTEL_ENABLED') === false || isOff;
}

function readFile(
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
  warnings: Warnings,
): ConfigurationFile | undefined {
  try {
    const { file, errors, ignored } = readConfigurationFile(path, variables);
    for (const message of [...errors, ...ignored].slice(0, maxReported)) warnings.once(`OTEL_CONFIG_FILE: ${message}`);
    if (file === undefined) warnings.once(`nothing is recorded or sent until ${path} (OTEL_CONFIG_FILE) is mended`);
    return file;
  } catch (error) {
    // The reader is a file beside this one, which an application that is bundled as ES modules does not take along.
    const reason = error instanceof Error ? error.message : String(error);
    warnings.once(
      `OTEL_CONFIG_FILE cannot be read: ${reason}. Nothing is sent; keep @signalbox/node external to the bundle.`,
    );
    return undefined;
  }
}
