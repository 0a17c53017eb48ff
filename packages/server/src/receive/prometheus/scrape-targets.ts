import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { relabel } from './relabel.ts';
import type { ScrapeSettings, TargetGroup } from './scrape-settings.ts';

export interface ScrapeTarget {
  readonly url: URL;
  /** On every sample, `job` and `instance` among them. */
  readonly labels: ReadonlyMap<string, string>;
  /** Before relabelling. */
  readonly discoveredLabels: ReadonlyMap<string, string>;
  /** The same for the same target. */
  readonly key: string;
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface FoundTargets {
  readonly active: readonly ScrapeTarget[];
  /** Labels of those that relabelling dropped, or that have no address left. */
  readonly dropped: readonly ReadonlyMap<string, string>[];
}

/** The targets of a job as its settings and the files that they name have them now. Throws an `Error` about a file that can't be read. */
export function findTargets(
  settings: ScrapeSettings,
  readGroups: (path: string) => TargetGroup[] = readTargetFile,
): FoundTargets {
  const discovered = settings.files.flatMap(({ patterns }) =>
    patterns.flatMap(matchingFiles).flatMap((path) =>
      readGroups(path).map(({ targets, labels }) => ({
        targets,
        labels: new Map([...labels, ['__meta_filepath', path]]),
      })),
    ),
  );
  const found = new Map<string, ScrapeTarget>();
  const dropped: ReadonlyMap<string, string>[] = [];
  for (const group of [...settings.static, ...discovered]) {
    for (const address of group.targets) {
      const before = discoveredLabels(settings, address, group.labels);
      const target = targetOf(settings, before);
      if (target === null) dropped.push(before);
      else found.set(target.key, target);
    }
  }
  return { active: [...found.values()], dropped };
}

function discoveredLabels(
  settings: ScrapeSettings,
  address: string,
  labels: ReadonlyMap<string, string>,
): Map<string, string> {
  const params = [...settings.params].map(([name, values]) => [`__param_${name}`, values[0] ?? ''] as const);
  return new Map([
    ['job', settings.jobName],
    ['__scheme__', settings.scheme],
    ['__metrics_path__', settings.metricsPath],
    ...params,
    ...labels,
    ['__address__', address],
  ]);
}

function targetOf(settings: ScrapeSettings, before: ReadonlyMap<string, string>): ScrapeTarget | null {
  const after = relabel(new Map(before), settings.relabel);
  const host = after?.get('__address__') ?? '';
  if (after === null || host === '') return null;
  const base = `${after.get('__scheme__') ?? 'http'}://${host}`;
  if (!URL.canParse(base)) return null;
  const url = new URL(after.get('__metrics_path__') ?? '/metrics', base);
  for (const [name, values] of settings.params)
    for (const value of values.slice(1)) url.searchParams.append(name, value);
  for (const [name, value] of after) if (name.startsWith('__param_')) url.searchParams.append(name.slice(8), value);
  if (!after.has('instance')) after.set('instance', host);
  const own = new Map([...after].filter(([name]) => !name.startsWith('__')));
  return { url, labels: own, discoveredLabels: before, key: JSON.stringify([url.href, [...own].sort()]) };
}

/** `*` stands for any file of a folder, as in Prometheus; nowhere else in the path. */
function matchingFiles(pattern: string): string[] {
  if (!pattern.includes('*')) return [pattern];
  const folder = dirname(pattern);
  const [before = '', after = ''] = basename(pattern).split('*');
  return readdirSync(folder)
    .filter((name) => name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after))
    .sort()
    .map((name) => join(folder, name));
}

/** Groups of a file of targets in JSON or YAML. */
function readTargetFile(path: string): TargetGroup[] {
  if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
  const groups: unknown = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 });
  if (!Array.isArray(groups)) throw new Error(`${path}: expected a list of groups of targets`);
  return (groups as unknown[]).map((group) => {
    const { targets = [], labels = {} } = group as { targets?: unknown; labels?: unknown };
    if (!Array.isArray(targets) || typeof labels !== 'object' || labels === null) {
      throw new Error(`${path}: a group has a list of targets, and labels`);
    }
    return {
      targets: targets.map(String),
      labels: new Map(Object.entries(labels).map(([key, value]) => [key, String(value)])),
    };
  });
}
