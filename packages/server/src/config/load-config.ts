import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';
import { didYouMean } from './nearest-name.ts';
import { type Config, environmentVariable, type OptionName, optionNames, options } from './options.ts';

interface Given {
  text: string;
  /** Where the user wrote it, for messages. */
  from: string;
}

const maxFileBytes = 1 << 20;

/**
 * The settings in force: flag before environment variable before file before default.
 * Throws ConfigError naming the place of the first setting that can't be used.
 */
export function loadConfig(
  flags: Partial<Record<OptionName, string>>,
  environment: NodeJS.ProcessEnv,
  file: string | undefined,
): Config {
  const path = file ?? environment.SIGNALBOX_CONFIG;
  const fromFile = path === undefined ? new Map<OptionName, Given>() : readConfigFile(path);
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

/** Reads `name: value` lines of YAML; an unknown key is an error with its line and the nearest known name. */
function readConfigFile(path: string): Map<OptionName, Given> {
  let text: string;
  try {
    if (statSync(path).size > maxFileBytes) throw new Error('larger than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem)
    throw new ConfigError(`${path}:${problem.linePos?.[0].line ?? 1}: ${problem.message}`, { cause: problem });
  const given = new Map<OptionName, Given>();
  const values: unknown = document.toJS({ maxAliasCount: 10 });
  if (values === null || values === undefined) return given;
  if (typeof values !== 'object' || Array.isArray(values))
    throw new ConfigError(`${path}: expected lines of "name: value"`);
  for (const [key, value] of Object.entries(values)) {
    const node = document.get(key, true);
    const offset =
      typeof node === 'object' && node !== null && 'range' in node
        ? (node.range as [number] | undefined)?.[0]
        : undefined;
    const from = offset === undefined ? `${path}: ${key}` : `${path}:${lines.linePos(offset).line}: ${key}`;
    if (!isOptionName(key)) throw new ConfigError(`${from}: there is no such setting${didYouMean(key, optionNames)}`);
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      throw new ConfigError(`${from}: expected one value`);
    given.set(key, { text: Array.isArray(value) ? value.join(',') : String(value), from });
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
