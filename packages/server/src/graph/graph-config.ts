import { ConfigError } from '../config/config-error.ts';
import type { CollectorSection } from '../config/config-file.ts';
import { didYouMean } from '../config/nearest-name.ts';
import type { SettingTable } from '../config/setting-node.ts';
import { SettingsMap } from '../config/settings-map.ts';
import type { ComponentFactory, ComponentKind } from '../pipeline/component-factory.ts';
import { checkPipelines } from './check-pipelines.ts';
import { componentType } from './component-id.ts';
import { type PipelineConfig, readPipelines, type ServiceTelemetry } from './service-config.ts';

export type FactoryOf<Kind extends ComponentKind> = Extract<ComponentFactory, { kind: Kind }>;

/** A component as the file configures it, used or not. */
export interface Configured<Kind extends ComponentKind> {
  readonly id: string;
  readonly factory: FactoryOf<Kind>;
  readonly blueprint: ReturnType<FactoryOf<Kind>['configure']>;
}

/** Configured components of each kind by their ids. */
export type ConfiguredComponents = { readonly [Kind in ComponentKind]: ReadonlyMap<string, Configured<Kind>> };

/** A whole configuration that passed every check. */
export interface GraphConfig {
  readonly components: ConfiguredComponents;
  readonly pipelines: readonly PipelineConfig[];
  /** Types of the exporters that pipelines name. */
  readonly exporters: ReadonlySet<string>;
  /** Ids in the order to start them in. */
  readonly extensions: readonly string[];
  readonly telemetry: ServiceTelemetry;
  /** What is in force: defaults filled in, secrets hidden. */
  readonly effective: Record<string, unknown>;
}

const SECTION_OF = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const satisfies Record<ComponentKind, CollectorSection>;

/** Most problems spoken of at once. */
const MAX_PROBLEMS = 20;

/**
 * Reads the Collector's sections of a configuration file. Throws one ConfigError with all problems that were found, each with
 * its place.
 */
export function readGraphConfig(
  file: string,
  sections: SettingTable,
  factories: readonly ComponentFactory[],
): GraphConfig {
  const root = new SettingsMap(file, '', sections);
  const problems: string[] = [];
  const effective: Record<string, unknown> = {};
  const read = <Kind extends ComponentKind>(kind: Kind): ReadonlyMap<string, Configured<Kind>> => {
    const section = root.table(SECTION_OF[kind]);
    const ofKind = factories.filter((factory): factory is FactoryOf<Kind> => factory.kind === kind);
    const configured = new Map<string, Configured<Kind>>();
    const shown: Record<string, unknown> = {};
    for (const key of section.keys()) {
      collect(problems, () => {
        const type = componentType(key);
        if (type === null) throw section.fail(key, 'a component is named by its type, or type/name');
        const factory = findFactory(ofKind, type, (message) => section.fail(key, message));
        const settings = section.table(key);
        const blueprint = factory.configure(settings) as Configured<Kind>['blueprint'];
        settings.finish();
        configured.set(key, { id: key, factory, blueprint });
        shown[key] = settings.effective();
      });
    }
    if (section.keys().length > 0) effective[SECTION_OF[kind]] = shown;
    return configured;
  };
  const components: ConfiguredComponents = {
    receiver: read('receiver'),
    processor: read('processor'),
    exporter: read('exporter'),
    connector: read('connector'),
    extension: read('extension'),
  };
  const service = root.table('service');
  const serviceConfig = collect(problems, () => {
    const config = readPipelines(service);
    service.finish();
    return config;
  });
  // What could not be read would only be missed once more.
  if (serviceConfig !== undefined && problems.length === 0) {
    problems.push(...checkPipelines(serviceConfig, components));
  }
  if (serviceConfig === undefined || problems.length > 0) {
    const more = problems.length - MAX_PROBLEMS;
    throw new ConfigError([...problems.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`… and ${more} more`] : [])].join('\n'));
  }
  return {
    components,
    pipelines: serviceConfig.pipelines,
    exporters: new Set(
      serviceConfig.pipelines.flatMap(({ exporters }) =>
        exporters.flatMap(({ text }) => components.exporter.get(text)?.factory.type ?? []),
      ),
    ),
    extensions: serviceConfig.extensions.map(({ text }) => text),
    telemetry: serviceConfig.telemetry,
    effective: { ...effective, service: service.effective() },
  };
}

function findFactory<Factory extends ComponentFactory>(
  factories: readonly Factory[],
  type: string,
  fail: (message: string) => ConfigError,
): Factory {
  const found = factories.find((factory) => factory.type === type || factory.aliases?.includes(type));
  if (found === undefined) {
    const known = factories.map((factory) => factory.type).sort();
    throw fail(`there is no such component${didYouMean(type, known)} (supported: ${known.join(', ') || 'none'})`);
  }
  return found;
}

/** Runs `read`; what the user got wrong is added to `problems`. */
function collect<Value>(problems: string[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}
