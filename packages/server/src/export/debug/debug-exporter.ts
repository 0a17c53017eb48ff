import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ExporterComponent, ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type Consumer } from '../../pipeline/consumer.ts';
import { type BatchOf, SIGNALS, type Signal } from '../../pipeline/signal.ts';

type Verbosity = 'basic' | 'normal' | 'detailed';

interface DebugSettings {
  readonly verbosity: Verbosity;
  /** Batches written in each second; then every `thereafter`-th, 0: none. */
  readonly initial: number;
  readonly thereafter: number;
}

const NAMES: Readonly<Record<Signal, string>> = { traces: 'spans', metrics: 'data_points', logs: 'log_records' };
/** Records of one batch that are written out; a batch may have thousands. */
const MAX_RECORDS = 100;
const MAX_RECORD_CHARACTERS = 4_096;

/** `debug`: says in the program's own log what arrives. */
export const debugExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'debug',
  aliases: ['logging'],
  signals: SIGNALS,
  configure(settings) {
    const read: DebugSettings = {
      verbosity: settings.choice('verbosity', ['basic', 'normal', 'detailed'], 'basic'),
      initial: settings.integer('sampling_initial', 2, { min: 0 }),
      thereafter: settings.integer('sampling_thereafter', 1, { min: 0 }),
    };
    return { create: (context) => new DebugExporter(read, context) };
  },
};

class DebugExporter implements ExporterComponent {
  readonly consumers = {
    traces: this.#consumer('traces', spanObjects),
    metrics: this.#consumer('metrics', metricPointObjects),
    logs: this.#consumer('logs', logObjects),
  };
  readonly #settings: DebugSettings;
  readonly #context: ComponentContext;
  #second = 0;
  #inSecond = 0;

  constructor(settings: DebugSettings, context: ComponentContext) {
    this.#settings = settings;
    this.#context = context;
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #consumer<S extends Signal>(signal: S, objects: (batch: BatchOf[S]) => readonly object[]): Consumer<BatchOf[S]> {
    return {
      consume: async (batch) => {
        if (this.#isSampled()) this.#write(signal, batch.rowCount, () => objects(batch));
        return ALL_ACCEPTED;
      },
    };
  }

  #isSampled(): boolean {
    const { initial, thereafter } = this.#settings;
    const second = Math.floor(this.#context.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    const before = this.#inSecond++;
    return before < initial || (thereafter > 0 && (before - initial) % thereafter === 0);
  }

  #write(signal: Signal, count: number, objects: () => readonly object[]): void {
    const { verbosity } = this.#settings;
    const { log } = this.#context;
    log.info(signal, { [NAMES[signal]]: count });
    if (verbosity === 'basic') return;
    for (const record of objects().slice(0, MAX_RECORDS)) {
      const shown = verbosity === 'detailed' ? record : withoutOrigin(record);
      log.info(JSON.stringify(shown, plain).slice(0, MAX_RECORD_CHARACTERS));
    }
    if (count > MAX_RECORDS) log.info('… and more', { [NAMES[signal]]: count - MAX_RECORDS });
  }
}

/** One record in a line of its own says what it is, not whose. */
function withoutOrigin(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== 'resource' && key !== 'scope'));
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
