import type { ConfigFile } from '../config/config-file.ts';
import type { Config, OptionName } from '../config/options.ts';
import type { ComponentFactory } from '../pipeline/component-factory.ts';
import { defaultGraph } from './default-graph.ts';
import { type GraphConfig, readGraphConfig } from './graph-config.ts';

/** Settings that only the default pipelines read. */
export const DEFAULT_GRAPH_SETTINGS: readonly OptionName[] = [
  'otlp-http-port',
  'otlp-grpc-port',
  'cors-origins',
  'max-request-size',
  'max-inflight-size',
];

/** The pipelines that the file names, or else the default ones. Throws ConfigError with every problem's place. */
export function graphInForce(
  config: Config,
  file: ConfigFile | null,
  factories: readonly ComponentFactory[],
): GraphConfig {
  const named = file?.collector ? { path: file.path, sections: file.collector } : defaultGraph(config);
  return readGraphConfig(named.path, named.sections, factories);
}
