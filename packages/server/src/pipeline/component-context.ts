import type { SettingText } from '../config/settings-map.ts';
import type { ClientAuthenticator, ServerAuthenticator } from './extension.ts';
import type { Logger } from './logger.ts';
import type { Telemetry } from './telemetry.ts';

/** What the graph gives to a component that it makes. */
export interface ComponentContext {
  /** As in the file: `otlp/tempo`. */
  readonly id: string;
  /** Of a processor, the pipeline it stands in: `traces/sampled`; otherwise null. */
  readonly pipeline: string | null;
  /** Names the component in each line. */
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** Lets the time of tests differ; milliseconds since 1970. */
  now(): number;
  /**
   * A folder of its own below the data folder that survives restarts, made when it is asked for. Its path follows from kind, id and
   * pipeline, so renaming a component in the file leaves its data behind.
   */
  folder(): string;
  /** The extension that checks who sends. Throws ConfigError at the place of `name` when there is none of that name in use. */
  serverAuthenticator(name: SettingText): ServerAuthenticator;
  /** The extension that says who we are. Throws as above. */
  clientAuthenticator(name: SettingText): ClientAuthenticator;
}
