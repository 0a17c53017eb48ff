import { stringify } from 'yaml';
import type { ConfigFile } from '../config/config-file.ts';
import { type Config, optionNames } from '../config/options.ts';
import type { GraphConfig } from '../graph/graph-config.ts';
import { DEFAULT_GRAPH_SETTINGS } from '../graph/graph-in-force.ts';

/** Settings whose values nobody should read over a shoulder. */
const SECRET_SETTINGS: readonly string[] = ['clickhouse-password'];

/**
 * What `signalbox config check` and `config print` say of a configuration that passed every check. Printed, it is YAML that can
 * be used as a file: settings, then the Collector's sections, with defaults filled in and secrets hidden.
 */
export function describeConfig(
  action: 'check' | 'print',
  config: Config,
  file: ConfigFile | null,
  graph: GraphConfig,
): string {
  if (action === 'check') {
    const pipelines = graph.pipelines.map(({ name }) => name).join(', ');
    const from = file?.collector ? '' : ' (the default ones: the file names none)';
    return `${file?.path ?? 'The settings'}: no problem found. Pipelines: ${pipelines}${from}.`;
  }
  const settings = optionNames
    .filter((name) => config[name] !== undefined && !(file?.collector && DEFAULT_GRAPH_SETTINGS.includes(name)))
    .map((name) => [name, SECRET_SETTINGS.includes(name) ? '[REDACTED]' : settingText(config[name], name)]);
  return stringify({ ...Object.fromEntries(settings), ...graph.effective }, { lineWidth: 0 }).trimEnd();
}

/** A setting's value as a user would write it. */
function settingText(value: unknown, name: string): unknown {
  return /timeout|retention|interval|lookback/.test(name) ? `${value}ms` : value;
}
