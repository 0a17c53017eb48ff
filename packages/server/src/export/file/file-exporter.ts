import { encodeLogs, encodeMetrics, encodeTraces, protobufToJson } from '@signalbox/otlp';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ExporterComponent, ExporterFactory } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type Consumer } from '../../pipeline/consumer.ts';
import { type BatchOf, SIGNALS, type Signal } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { RotatingFile, type Rotation } from './rotating-file.ts';

interface FileSettings {
  readonly path: string;
  readonly format: 'json' | 'proto';
  readonly append: boolean;
  readonly createFolder: boolean;
  readonly rotation: Rotation | undefined;
}

const DAY_MS = 86_400_000;
const RETRY_MS = 1_000;

/** `file`: each batch as one request of OTLP: a line of JSON, or protobuf after its length in four bytes, the highest first. */
export const fileExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'file',
  signals: SIGNALS,
  configure(settings) {
    const read: FileSettings = {
      path: settings.string('path'),
      format: settings.choice('format', ['json', 'proto'], 'json'),
      append: settings.boolean('append', false),
      createFolder: settings.boolean('create_directory', false),
      rotation: readRotation(settings),
    };
    settings.choice('compression', ['none'], 'none');
    settings.duration('flush_interval', '1s'); // every batch is synced before it is acknowledged
    if (read.append && read.rotation) throw settings.fail('append', 'can not be used together with rotation');
    return { create: (context) => new FileExporter(read, context) };
  },
};

function readRotation(settings: SettingsMap): Rotation | undefined {
  if (!settings.has('rotation')) return undefined;
  const rotation = settings.table('rotation');
  return {
    maxBytes: rotation.integer('max_megabytes', 100, { min: 1 }) * 1_000_000,
    maxAgeMs: rotation.integer('max_days', 0, { min: 0 }) * DAY_MS,
    maxBackups: rotation.integer('max_backups', 100, { min: 0 }),
  };
}

class FileExporter implements ExporterComponent {
  readonly consumers = {
    traces: this.#consumer('traces', encodeTraces),
    metrics: this.#consumer('metrics', encodeMetrics),
    logs: this.#consumer('logs', encodeLogs),
  };
  readonly #settings: FileSettings;
  readonly #file: RotatingFile;

  constructor(settings: FileSettings, context: ComponentContext) {
    this.#settings = settings;
    this.#file = new RotatingFile({ ...settings, now: context.now });
  }

  async start(): Promise<void> {
    try {
      await this.#file.open();
    } catch (error) {
      throw new SignalboxError('unavailable', `${this.#settings.path} can't be written: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async shutdown(): Promise<void> {
    await this.#file.close();
  }

  #consumer<S extends Signal>(signal: S, encode: (batch: BatchOf[S]) => Uint8Array): Consumer<BatchOf[S]> {
    return {
      consume: async (batch) => {
        if (batch.rowCount === 0) return ALL_ACCEPTED;
        try {
          await this.#file.write(this.#framed(signal, encode(batch)));
        } catch (error) {
          const message = `${this.#settings.path} can't be written: ${(error as Error).message}`;
          throw new SignalboxError('unavailable', message, { retryAfterMs: RETRY_MS, cause: error });
        }
        return ALL_ACCEPTED;
      },
    };
  }

  #framed(signal: Signal, request: Uint8Array): Uint8Array {
    if (this.#settings.format === 'json') {
      // JSON.stringify escapes line ends, so that a request is one line.
      return Buffer.concat([protobufToJson(signal, request), Buffer.from('\n')]);
    }
    const length = Buffer.alloc(4);
    length.writeUInt32BE(request.length);
    return Buffer.concat([length, request]);
  }
}
