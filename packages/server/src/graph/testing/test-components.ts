import type { ComponentFactory, ExporterComponent, PipelineComponent } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED } from '../../pipeline/consumer.ts';
import { type Consumers, SIGNALS } from '../../pipeline/signal.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';

/** Components whose life and traffic a test can see. */
export class TestComponents {
  /** `start exporter sink`, `stop …`, in order. */
  readonly log: string[] = [];
  /** What each receiver was given to send to, by id. */
  readonly receivers = new Map<string, Consumers>();
  readonly sinks = new Map<string, RecordSink>();
  /** What exporters saw as it was received, by id. */
  readonly witnesses = new Map<string, RecordSink>();

  readonly factories: readonly ComponentFactory[] = [
    {
      kind: 'receiver',
      type: 'source',
      signals: SIGNALS,
      configure: (settings) => {
        settings.string('endpoint', 'localhost:1');
        return {
          create: ({ id }, next) => {
            this.receivers.set(id, next);
            return this.#life(`receiver ${id}`);
          },
        };
      },
    },
    {
      kind: 'processor',
      type: 'rename',
      signals: ['traces'],
      configure: (settings) => {
        const kind = settings.integer('kind', 5);
        return {
          mutatesData: true,
          create: ({ id, pipeline }, { traces }) => ({
            ...this.#life(`processor ${id} of ${pipeline}`),
            consumers: {
              ...(traces && {
                traces: {
                  consume: (batch) => {
                    batch.kind.fill(kind, 0, batch.rowCount);
                    return traces.consume(batch);
                  },
                },
              }),
            },
          }),
        };
      },
    },
    {
      kind: 'processor',
      type: 'drop',
      signals: SIGNALS,
      configure: () => ({
        mutatesData: false,
        create: ({ id, pipeline }) => ({
          ...this.#life(`processor ${id} of ${pipeline}`),
          consumers: {
            traces: { consume: () => Promise.resolve(ALL_ACCEPTED) },
            metrics: { consume: () => Promise.resolve(ALL_ACCEPTED) },
            logs: { consume: () => Promise.resolve(ALL_ACCEPTED) },
          },
        }),
      }),
    },
    {
      kind: 'exporter',
      type: 'sink',
      signals: SIGNALS,
      configure: (settings) => {
        settings.secret('token', null);
        const watches = settings.boolean('watches', false);
        return { create: ({ id }) => this.#sink(id, watches) };
      },
    },
    {
      kind: 'connector',
      type: 'forward',
      makes: { traces: ['traces'], logs: ['logs'] },
      configure: () => ({
        create: ({ id }, next): PipelineComponent => ({ ...this.#life(`connector ${id}`), consumers: next }),
      }),
    },
    {
      kind: 'extension',
      type: 'guard',
      configure: () => ({ create: ({ id }) => this.#life(`extension ${id}`) }),
    },
  ];

  #sink(id: string, watches: boolean): ExporterComponent {
    const sink = new RecordSink();
    this.sinks.set(id, sink);
    const witness = new RecordSink();
    if (watches) this.witnesses.set(id, witness);
    return {
      ...this.#life(`exporter ${id}`),
      consumers: sink.consumers,
      ...(watches ? { asReceived: witness.consumers } : {}),
    };
  }

  #life(name: string) {
    return {
      start: async () => void this.log.push(`start ${name}`),
      shutdown: async () => void this.log.push(`stop ${name}`),
    };
  }
}
