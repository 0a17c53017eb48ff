import { readFileSync } from 'node:fs';
import type { Instrumentation, InstrumentationContext } from '../instrumentation.ts';
import type { CellMeter, CellOptions } from '../metrics/cells.ts';
import type { VersionRange } from '../modules/version-range.ts';
import { installedFrameworkApps, koaMountVersions } from './framework-apps.ts';
import { openSearchVersions } from './opensearch-versions.ts';

/** What an instrumentation asked for when it was enabled. */
export interface Declared {
  /** Ranges of versions by package. */
  readonly modules: Map<string, VersionRange>;
  /** Those of our own stand after `metricPrefix`. */
  readonly metrics: Set<string>;
}

/** What the code cannot say of itself. */
export interface SurfaceRow {
  /** File in docs/surfaces, or a path from there. */
  readonly page: string;
  readonly what: string;
  readonly spans: string;
  /** The systems whose needs it covers, and what they ask for. */
  readonly seeds: string;
  /** Packages that no hook names, with the first version: they announce themselves on channels, or take what they are given. */
  readonly channels?: Readonly<Record<string, string>>;
  /** Packages that the tests reach the hooked ones through. */
  readonly through?: readonly string[];
  /** Parts of Node: its versions. */
  readonly node?: string;
  /** Those that it has elsewhere but not on every Node. */
  readonly metrics?: readonly string[];
}

/** The instrumentation, and what it declares as soon as it has been enabled. */
export function declaring(instrumentation: Instrumentation): { instrumentation: Instrumentation; declared: Declared } {
  const declared: Declared = { modules: new Map(), metrics: new Set() };
  const enable = (context: InstrumentationContext) =>
    instrumentation.enable({
      ...context,
      cells: noting(context.cells, declared.metrics),
      onModule: (name, selection, patch) => {
        declared.modules.set(name, selection.versions ?? {});
        return context.onModule(name, selection, patch);
      },
    });
  return { declared, instrumentation: { name: instrumentation.name, enable } };
}

function noting(cells: CellMeter, metrics: Set<string>): CellMeter {
  const note = (name: string, { prefixed }: CellOptions): void => {
    metrics.add(prefixed === true ? `${name} ¹` : name);
  };
  return {
    histogram: (name, options, attributesOf) => {
      note(name, options);
      return cells.histogram(name, options, attributesOf);
    },
    counter: (name, options, attributesOf) => {
      note(name, options);
      return cells.counter(name, options, attributesOf);
    },
    upDownCounter: (name, options, attributesOf) => {
      note(name, options);
      return cells.upDownCounter(name, options, attributesOf);
    },
  };
}

const header = [
  'surface',
  'instrumentation',
  'libraries and versions',
  'tested with',
  'spans',
  'metrics',
  'asked for by',
];

/** The table as Markdown, aligned. */
export function renderSurfaces(
  rows: Readonly<Record<string, SurfaceRow>>,
  declared: ReadonlyMap<string, Declared>,
): string {
  const lines = Object.entries(rows).map(([name, row]) => {
    const { modules, metrics } = declared.get(name) ?? { modules: new Map(), metrics: new Set() };
    const hooked = [...modules].map(([library, range]) => `${library} ${describeRange(range)}`.trim());
    const announced = Object.entries(row.channels ?? {}).map(([library, from]) => `${library} ${from} and later`);
    const libraries = [...modules.keys(), ...Object.keys(row.channels ?? {}), ...(row.through ?? [])];
    return [
      `[${row.what}](${row.page})`,
      `\`${name}\``,
      [...announced, ...hooked.filter((each) => !announced.some((other) => other.startsWith(`${each.split(' ')[0]} `)))]
        .concat(row.node ?? [])
        .join(', '),
      [...new Set(libraries)].flatMap(testedVersions).join(', '),
      row.spans,
      [...new Set([...metrics, ...(row.metrics ?? [])])]
        .map((metric) => `\`${metric}\``.replace(' ¹`', '` ¹'))
        .join(', '),
      row.seeds,
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n');
}

/** `4 to 5` for 4 up to below 6. */
function describeRange({ from, below }: VersionRange): string {
  const last = below !== undefined && /^\d+$/.test(below) ? String(Number(below) - 1) : undefined;
  if (from === undefined) return last === undefined ? '' : `up to ${last}`;
  if (last === undefined) return below === undefined ? `${from} and later` : `${from} to below ${below}`;
  return from === last ? from : `${from} to ${last}`;
}

const manifest: { devDependencies: Record<string, string> } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const installedForLongTier = [
  ...installedFrameworkApps.map(({ installed = {} }) => installed),
  ...koaMountVersions.map((version) => ({ 'koa-mount': version })),
  ...openSearchVersions.map(({ asked }) => ({ '@opensearch-project/opensearch': asked })),
].flatMap((installed) => Object.entries(installed));

/** What the tests have installed of a library, older ones under another name included (`npm:express@4.22.1`). */
function testedVersions(library: string): string[] {
  const own = Object.entries(manifest.devDependencies).flatMap(([name, version]) => {
    if (name === library) return [`${library} ${version}`];
    return version.startsWith(`npm:${library}@`) ? [`${library} ${version.slice(`npm:${library}@`.length)}`] : [];
  });
  const further = installedForLongTier.flatMap(([name, version]) =>
    name === library ? [`${library} ${version} ²`] : [],
  );
  return [...own, ...new Set(further)];
}
