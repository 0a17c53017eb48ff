import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { readSettingNodes, type SettingEntry, type SettingNode, type SettingTable } from './setting-node.ts';

/** The sections of the Collector's configuration format; every other key of the file is a setting of Signalbox. */
const COLLECTOR_SECTIONS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions', 'service'] as const;

export type CollectorSection = (typeof COLLECTOR_SECTIONS)[number];

/**
 * One file holds both: settings of the program as `name: value` lines, and the Collector's sections. Without any of the
 * sections the file says nothing about pipelines, and the default ones run.
 */
export interface ConfigFile {
  readonly path: string;
  readonly settings: ReadonlyMap<string, SettingEntry>;
  /** The sections that are there; null: none. */
  readonly collector: SettingTable | null;
}

const MAX_FILE_BYTES = 1 << 20;

/**
 * Reads the file that the command line names, or else SIGNALBOX_CONFIG; null when neither does. Throws ConfigError with
 * the place of what can't be read.
 */
export function readConfigFile(named: string | undefined, environment: NodeJS.ProcessEnv): ConfigFile | null {
  const path = named ?? environment.SIGNALBOX_CONFIG;
  if (path === undefined || path === '') return null;
  let text: string;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error('larger than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return configFile(path, readSettingNodes(text, path, environment));
}

/** @param node the whole file */
export function configFile(path: string, node: SettingNode): ConfigFile {
  if (node.kind === 'scalar' && node.value === null) {
    return { path, settings: new Map(), collector: null };
  }
  if (node.kind !== 'table') {
    throw new ConfigError(`${path}: expected lines of "name: value"`);
  }
  const settings = new Map<string, SettingEntry>();
  const sections = new Map<string, SettingEntry>();
  for (const [key, entry] of node.entries) {
    (isCollectorSection(key) ? sections : settings).set(key, entry);
  }
  return {
    path,
    settings,
    collector: sections.size === 0 ? null : { kind: 'table', line: node.line, entries: sections },
  };
}

function isCollectorSection(key: string): key is CollectorSection {
  return (COLLECTOR_SECTIONS as readonly string[]).includes(key);
}
