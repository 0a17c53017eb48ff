import { type AttributeEntry, AttributeKey } from '@signalbox/records';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent, ProcessorFactory } from '../../pipeline/component-factory.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { editResources } from '../attributes/attributes-processor.ts';
import { editingComponent } from '../editing-component.ts';
import { DETECTORS, type DetectorName, OPTIONAL_ATTRIBUTES } from './detectors.ts';

interface ResourceDetectionSettings {
  readonly detectors: readonly DetectorName[];
  readonly timeoutMs: number;
  /** Whether what is detected replaces what the records say. */
  readonly override: boolean;
  /** Attributes that the file turns on or off. */
  readonly enabled: ReadonlyMap<string, boolean>;
}

/** `resourcedetection`: adds what is known of the place where Signalbox runs to resources. */
export const resourceDetectionFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'resourcedetection',
  aliases: ['resource_detection'],
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const names = Object.keys(DETECTORS) as DetectorName[];
    const detection: ResourceDetectionSettings = {
      detectors: settings.has('detectors')
        ? settings.texts('detectors').map((text) => {
            const name = names.find((known) => known === text.text);
            if (name === undefined) {
              throw text.fail(`"${text.text}" is not one of ${names.join(', ')}`);
            }
            return name;
          })
        : ['env'],
      timeoutMs: settings.duration('timeout', '5s'),
      override: settings.boolean('override', true),
      enabled: new Map(names.flatMap((name) => [...readEnabled(settings.table(name), name)])),
    };
    return { mutatesData: true, create: (context, next) => new ResourceDetection(detection, context, next) };
  },
};

function readEnabled(settings: SettingsMap, detector: DetectorName): Map<string, boolean> {
  if (detector === 'system') {
    // Upstream asks the system or its name server; here it is the system.
    settings.strings('hostname_sources');
  }
  return new Map(
    [...settings.namedTables('resource_attributes')].map(([name, table]) => [name, table.boolean('enabled')]),
  );
}

class ResourceDetection implements PipelineComponent {
  readonly consumers: Consumers;
  readonly #settings: ResourceDetectionSettings;
  readonly #context: ComponentContext;
  #detected: readonly (readonly [AttributeKey, AttributeEntry[1]])[] = [];

  constructor(settings: ResourceDetectionSettings, context: ComponentContext, next: Consumers) {
    this.#settings = settings;
    this.#context = context;
    const edit = editResources((editor, row) => {
      for (const [key, value] of this.#detected) {
        if (settings.override || editor.find(row, key) < 0) {
          editor.set(row, key, value);
        }
      }
    });
    this.consumers = editingComponent({ traces: edit, metrics: edit, logs: edit }, next).consumers;
  }

  /** Detectors that come first win. One that takes too long or fails is told about, and left out. */
  async start(): Promise<void> {
    const { detectors, enabled } = this.#settings;
    const detected = new Map<string, AttributeEntry[1]>();
    for (const name of detectors) {
      for (const [key, value] of await this.#detect(name)) {
        if (!detected.has(key) && (enabled.get(key) ?? !OPTIONAL_ATTRIBUTES.has(key))) {
          detected.set(key, value);
        }
      }
    }
    this.#detected = Array.from(detected, ([key, value]) => [new AttributeKey(key), value] as const);
  }

  async shutdown(): Promise<void> {}

  async #detect(name: DetectorName): Promise<AttributeEntry[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`took more than ${this.#settings.timeoutMs} ms`)),
        this.#settings.timeoutMs,
      );
    });
    try {
      return await Promise.race([DETECTORS[name](process.env), late]);
    } catch (error) {
      this.#context.log.warn('the surroundings could not be detected', {
        detector: name,
        reason: error instanceof Error ? error.message : String(error),
      });
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
