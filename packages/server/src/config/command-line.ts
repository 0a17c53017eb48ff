import { parseArgs } from 'node:util';
import { ConfigError } from './config-error.ts';
import { isOptionName } from './load-config.ts';
import { didYouMean } from './nearest-name.ts';
import { type Config, environmentVariable, type OptionName, optionNames, options } from './options.ts';

/** What the user asked for on the command line. */
export type Command =
  | { kind: 'help' }
  | { kind: 'version' }
  | { kind: 'serve'; flags: Flags; configFile: string | undefined }
  | { kind: 'config'; action: 'check' | 'print'; flags: Flags; configFile: string | undefined }
  | { kind: 'rules'; action: 'check' | 'test'; files: readonly string[]; features: Config['enable-feature'] }
  | { kind: 'backup' | 'restore'; folder: string; flags: Flags; configFile: string | undefined };

export type Flags = Partial<Record<OptionName, string>>;

/** Throws ConfigError with what is wrong and the nearest known flag. */
export function parseCommandLine(args: string[]): Command {
  const { tokens } = parseArgs({
    args,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(optionNames.map((name) => [name, { type: 'string' as const }])),
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'V' },
    },
  });
  const flags: Flags = {};
  const words: string[] = [];
  let configFile: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return { kind: 'help' };
    if (token.name === 'version') return { kind: 'version' };
    if (token.name !== 'config' && !isOptionName(token.name)) {
      throw new ConfigError(
        `There is no option ${token.rawName}${didYouMean(token.name, optionNames)} (signalbox --help lists them all)`,
      );
    }
    if (token.value === undefined) throw new ConfigError(`${token.rawName} needs a value.`);
    if (token.name === 'config') configFile = token.value;
    else flags[token.name as OptionName] = token.value;
  }
  const [word = 'serve', folder, ...more] = words;
  if (word === 'config') return { kind: 'config', ...configCommand(folder, more, configFile), flags };
  if (word === 'rules') return { kind: 'rules', ...rulesCommand(folder, more, flags) };
  if (word === 'serve' && folder === undefined) return { kind: 'serve', flags, configFile };
  if (word === 'backup' || word === 'restore') {
    if (folder === undefined || more.length > 0)
      throw new ConfigError(`signalbox ${word} takes one folder: signalbox ${word} DIR`);
    return { kind: word, folder, flags, configFile };
  }
  throw new ConfigError(
    `There is no command "${words.join(' ')}". The commands are serve (the default), config, rules, backup and restore.`,
  );
}

function configCommand(action: string | undefined, files: string[], configFile: string | undefined) {
  const [file, ...more] = files;
  if (
    (action !== 'check' && action !== 'print') ||
    more.length > 0 ||
    (file !== undefined && configFile !== undefined)
  ) {
    throw new ConfigError('Write signalbox config check FILE or signalbox config print FILE.');
  }
  return { action, configFile: file ?? configFile } as const;
}

/** These need no configuration: of the settings only the flag of PromQL's features counts. */
function rulesCommand(action: string | undefined, files: readonly string[], flags: Flags) {
  if ((action !== 'check' && action !== 'test') || files.length === 0) {
    throw new ConfigError('Write signalbox rules check FILE… or signalbox rules test FILE….');
  }
  try {
    return { action, files, features: options['enable-feature'].parse(flags['enable-feature'] ?? '') } as const;
  } catch (error) {
    throw new ConfigError(`--enable-feature: ${(error as Error).message}`);
  }
}

export function helpText(): string {
  const rows = optionNames.map((name) => {
    const { value, help, default: defaultText } = options[name];
    const ending = defaultText ? ` [${defaultText}]` : '';
    return `  ${`--${name} ${value}`.padEnd(31)} ${help}${ending}`;
  });
  return `Signalbox receives traces, metrics and logs over OTLP, stores them, and shows them on a page.

Usage:
  signalbox [serve] [options]      start; then open http://127.0.0.1:4319
  signalbox config check [FILE]    look for mistakes in a configuration without starting
  signalbox config print [FILE]    show the configuration in force, defaults included and secrets hidden
  signalbox rules check FILE…      look for mistakes in files of recording and alerting rules
  signalbox rules test FILE…       run unit tests of rules, in the format of promtool test rules
  signalbox backup DIR [options]   copy the store to a new folder, also while Signalbox runs
  signalbox restore DIR [options]  fill an empty store from a backup; Signalbox must not be running on it

Options:
${rows.join('\n')}
  ${'--config FILE'.padEnd(31)} YAML: settings as lines of "name: value", named like the options, and the sections of an
  ${''.padEnd(31)} OpenTelemetry Collector (receivers, exporters, service …). Or SIGNALBOX_CONFIG.
  ${'--help, --version'.padEnd(31)}

Every option is also an environment variable: --otlp-http-port is ${environmentVariable('otlp-http-port')}.
A flag goes before the environment, the environment before the file.`;
}
