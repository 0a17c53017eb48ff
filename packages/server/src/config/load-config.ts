import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';
import { didYouMean } from './nearest-name.ts';
import { type Config, environmentVariable, type OptionName, optionNames, options } from './options.ts';

interface Given {
  text: string;
  /** Where the user wrote it, for messages. */
  from: string;
}

/**
 * The settings in force: flag before environment variable before file before default.
 * Throws ConfigError naming the place of the first setting that can't be used.
 */
export function loadConfig(
  flags: Partial<Record<OptionName, string>>,
  environment: NodeJS.ProcessEnv,
  file: ConfigFile | null,
): Config {
  const fromFile = file === null ? new Map<OptionName, Given>() : settingsOf(file);
  const config: Record<string, unknown> = {};
  for (const name of optionNames) {
    const given = find(name, flags, environment, fromFile);
    const { parse, default: defaultText } = options[name];
    if (given) {
      try {
        config[name] = parse(given.text);
      } catch (error) {
        throw new ConfigError(`${given.from}: ${(error as Error).message}`, { cause: error });
      }
    } else {
      config[name] = defaultText === undefined ? undefined : parse(defaultText);
    }
  }
  config.data = resolve((config.data as string | undefined) ?? defaultDataFolder(environment));
  return config as Config;
}

function find(
  name: OptionName,
  flags: Partial<Record<OptionName, string>>,
  environment: NodeJS.ProcessEnv,
  fromFile: Map<OptionName, Given>,
): Given | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, from: `--${name}` };
  const variable = environmentVariable(name);
  const value = environment[variable];
  if (value !== undefined && value !== '') return { text: value, from: variable };
  return fromFile.get(name);
}

/** The file's `name: value` lines; an unknown name is an error with its line and the nearest known one. */
function settingsOf({ path, settings }: ConfigFile): Map<OptionName, Given> {
  const given = new Map<OptionName, Given>();
  for (const [key, { line, node }] of settings) {
    const from = `${path}:${line}: ${key}`;
    if (!isOptionName(key)) throw new ConfigError(`${from}: there is no such setting${didYouMean(key, optionNames)}`);
    const items = node.kind === 'list' ? node.items : [node];
    const texts = items.map((item) => {
      if (item.kind !== 'scalar') throw new ConfigError(`${from}: expected one value`);
      return item.text;
    });
    given.set(key, { text: texts.join(','), from });
  }
  return given;
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

function defaultDataFolder(environment: NodeJS.ProcessEnv): string {
  if (existsSync('.signalbox')) return '.signalbox';
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Signalbox');
  return join(environment.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'signalbox');
}
