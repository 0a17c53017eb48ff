import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readSettingNodes } from '../../config/setting-node.ts';
import { SettingsMap } from '../../config/settings-map.ts';
import type { ComponentContext } from '../component-context.ts';
import type { ClientAuthenticator, ServerAuthenticator } from '../extension.ts';
import type { LogFields, Logger } from '../logger.ts';
import type { TelemetryAttributes } from '../telemetry.ts';

/** Settings of a component as YAML, with line 1 as their first. */
export function settingsOf(yaml: string, environment: NodeJS.ProcessEnv = {}): SettingsMap {
  return new SettingsMap('test.yaml', 'component', readSettingNodes(yaml, 'test.yaml', environment));
}

export interface TestContext extends ComponentContext {
  /** What the component said, in order: `warn: the queue is full`. */
  readonly logged: string[];
  /** Sum of all counters of that name, or of those with exactly the attributes; undefined when there are none. */
  counted(name: string, attributes?: TelemetryAttributes): number | undefined;
  /** What the gauge says now. */
  gauged(name: string, attributes?: TelemetryAttributes): number | undefined;
  /** What was recorded in the histogram, in order. */
  recorded(name: string, attributes?: TelemetryAttributes): number[];
}

/** A context for a component under test. Its folder goes with the test. */
export function testContext(
  given: {
    readonly id?: string;
    readonly pipeline?: string;
    readonly now?: () => number;
    /** For a second life of the component on the same data. */
    readonly folder?: string;
    readonly serverAuthenticators?: Readonly<Record<string, ServerAuthenticator>>;
    readonly clientAuthenticators?: Readonly<Record<string, ClientAuthenticator>>;
  } = {},
): TestContext {
  const logged: string[] = [];
  const say =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      logged.push(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`);
    };
  const counters = new Map<string, Map<string, number>>();
  const gauges = new Map<string, () => number>();
  const histograms = new Map<string, number[]>();
  let folder = given.folder;
  const log: Logger = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: (message, error, fields) =>
      say('error')(`${message}${error instanceof Error ? `: ${error.message}` : ''}`, fields),
    with: () => log,
  };
  return {
    id: given.id ?? 'component',
    pipeline: given.pipeline ?? null,
    now: given.now ?? Date.now,
    logged,
    log,
    telemetry: {
      counter(name, _description, attributes = {}) {
        const ofName = counters.get(name) ?? new Map<string, number>();
        counters.set(name, ofName);
        const key = attributesKey(attributes);
        ofName.set(key, ofName.get(key) ?? 0);
        return { add: (amount) => void ofName.set(key, (ofName.get(key) ?? 0) + amount) };
      },
      gauge(name, _description, read, attributes = {}) {
        gauges.set(name + attributesKey(attributes), read);
      },
      histogram(name, _description, _bounds, attributes = {}) {
        const values = histograms.get(name + attributesKey(attributes)) ?? [];
        histograms.set(name + attributesKey(attributes), values);
        return { record: (value) => void values.push(value) };
      },
    },
    folder() {
      if (folder === undefined) {
        const made = mkdtempSync(join(tmpdir(), 'signalbox-component-'));
        onTestFinished(() => rmSync(made, { recursive: true, force: true }));
        folder = made;
      }
      return folder;
    },
    serverAuthenticator(name) {
      const found = given.serverAuthenticators?.[name.text];
      if (found === undefined) throw name.fail(`there is no extension "${name.text}"`);
      return found;
    },
    clientAuthenticator(name) {
      const found = given.clientAuthenticators?.[name.text];
      if (found === undefined) throw name.fail(`there is no extension "${name.text}"`);
      return found;
    },
    counted(name, attributes) {
      const ofName = counters.get(name);
      if (ofName === undefined) return undefined;
      return attributes === undefined
        ? [...ofName.values()].reduce((sum, value) => sum + value, 0)
        : ofName.get(attributesKey(attributes));
    },
    gauged: (name, attributes = {}) => gauges.get(name + attributesKey(attributes))?.(),
    recorded: (name, attributes = {}) => histograms.get(name + attributesKey(attributes)) ?? [],
  };
}

function attributesKey(attributes: TelemetryAttributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
