import type { ComponentKind, ExporterComponent, PipelineComponent } from '../pipeline/component-factory.ts';
import type { Consumer } from '../pipeline/consumer.ts';
import type { Extension } from '../pipeline/extension.ts';
import { type Branch, fanOut, inTurn, withCopy } from '../pipeline/fan-out.ts';
import { type BatchOf, type Consumers, SIGNALS, type Signal } from '../pipeline/signal.ts';
import { ContextMaker, type GraphEnvironment } from './context-maker.ts';
import { Graph, type GraphMember, type GraphMembers } from './graph.ts';
import type { Configured, GraphConfig } from './graph-config.ts';
import { mapConsumers, observeExporter, observeProcessor, observeReceiver } from './observed.ts';
import type { PipelineConfig } from './service-config.ts';

/** A pipeline's way in, of one signal. */
interface Head<S extends Signal = Signal> extends Branch<BatchOf[S]> {
  /** Whether a processor stands in it, or in one that it leads to: then not all that is accepted arrives as it came. */
  readonly processes: boolean;
  /** The exporters that it leads to with records of its own signal, through connectors too. */
  readonly exporters: ReadonlySet<ExporterComponent>;
}

/**
 * Makes the components of a configuration and ties them together, destinations first. Only what a pipeline names is made.
 * Throws ConfigError for what shows only now, such as an authenticator that is not in use.
 */
export function buildGraph(config: GraphConfig, environment: GraphEnvironment): Graph {
  return new GraphBuilder(config, environment).build();
}

class GraphBuilder {
  readonly #config: GraphConfig;
  readonly #telemetry: GraphEnvironment['telemetry'];
  readonly #contexts: ContextMaker;
  readonly #extensions: GraphMembers['extensions'];
  readonly #stages: GraphMember[] = [];
  readonly #exporters = new Map<string, { component: ExporterComponent; consumers: Consumers }>();
  readonly #connectors = new Map<string, PipelineComponent>();
  readonly #heads = new Map<string, Head>();

  constructor(config: GraphConfig, environment: GraphEnvironment) {
    this.#config = config;
    this.#telemetry = environment.telemetry;
    const extensions = new Map<string, Extension>();
    this.#contexts = new ContextMaker(environment, extensions);
    for (const id of config.extensions) {
      const { blueprint } = this.#configured('extension', id);
      extensions.set(id, blueprint.create(this.#contexts.context('extension', id)));
    }
    this.#extensions = Array.from(extensions, ([id, component]) => ({ name: `extension ${id}`, component }));
  }

  build(): Graph {
    const { pipelines, components } = this.#config;
    for (const { text } of pipelines.flatMap(({ exporters }) => exporters)) {
      if (components.exporter.has(text)) this.#exporter(text);
    }
    for (const pipeline of pipelines) this.#head(pipeline);
    const used = new Set(pipelines.flatMap(({ receivers }) => receivers.map(({ text }) => text)));
    const receivers = [...components.receiver.values()]
      .filter(({ id }) => used.has(id))
      .map(({ id, blueprint }) => ({
        name: `receiver ${id}`,
        component: blueprint.create(this.#contexts.context('receiver', id), this.#fromReceiver(id)),
      }));
    return new Graph({ extensions: this.#extensions, stages: this.#stages, receivers });
  }

  #configured<Kind extends ComponentKind>(kind: Kind, id: string): Configured<Kind> {
    const found: Configured<Kind> | undefined = this.#config.components[kind].get(id);
    if (found === undefined) throw new TypeError(`${kind} ${id} passed the checks and is not there`);
    return found;
  }

  #exporter(id: string) {
    const known = this.#exporters.get(id);
    if (known !== undefined) return known;
    const component = this.#configured('exporter', id).blueprint.create(this.#contexts.context('exporter', id));
    const consumers =
      component.countsItself === true
        ? component.consumers
        : mapConsumers(component.consumers, (signal, consumer) =>
            observeExporter(this.#telemetry, id, signal, consumer),
          );
    const exporter = { component, consumers };
    this.#exporters.set(id, exporter);
    this.#stages.push({ name: `exporter ${id}`, component });
    return exporter;
  }

  /** A connector is made once all pipelines that receive from it are. */
  #connector(id: string): PipelineComponent {
    const known = this.#connectors.get(id);
    if (known !== undefined) return known;
    const next = this.#fromConnector(id);
    const connector = this.#configured('connector', id).blueprint.create(this.#contexts.context('connector', id), next);
    this.#connectors.set(id, connector);
    this.#stages.push({ name: `connector ${id}`, component: connector });
    return connector;
  }

  #head(pipeline: PipelineConfig): Head {
    const known = this.#heads.get(pipeline.name);
    if (known !== undefined) return known;
    const { signal, processors } = pipeline;
    const ends = pipeline.exporters.map(({ text }) => this.#end(text, signal));
    let consumer: Consumer<BatchOf[Signal]> = fanOut(ends);
    let mutates = ends.some((end) => end.mutates);
    for (const { text } of [...processors].reverse()) {
      const { blueprint } = this.#configured('processor', text);
      const attributes = { processor: text, pipeline: pipeline.name };
      const next = observeProcessor(this.#telemetry, 'outgoing', attributes, consumer);
      const context = this.#contexts.context('processor', text, pipeline.name);
      const component = blueprint.create(context, { [signal]: next });
      consumer = observeProcessor(
        this.#telemetry,
        'incoming',
        attributes,
        consumerOf(component.consumers, signal, text),
      );
      mutates ||= blueprint.mutatesData;
      this.#stages.push({ name: `processor ${text} of ${pipeline.name}`, component });
    }
    const head: Head = {
      consumer,
      mutates,
      processes: processors.length > 0 || ends.some((end) => end.processes),
      exporters: new Set(ends.flatMap((end) => [...end.exporters])),
    };
    this.#heads.set(pipeline.name, head);
    return head;
  }

  /** Where a pipeline ends: in an exporter, or in a connector that may lead on to other pipelines. */
  #end(id: string, signal: Signal): Head {
    if (this.#config.components.exporter.has(id)) {
      const { component, consumers } = this.#exporter(id);
      const consumer = consumerOf(consumers, signal, id);
      return { consumer, mutates: false, processes: false, exporters: new Set([component]) };
    }
    const consumer = consumerOf(this.#connector(id).consumers, signal, id);
    // The batch itself may go on only as the same signal.
    const further = this.#headsOf(id, signal);
    return {
      consumer,
      mutates: further.some(({ mutates }) => mutates),
      processes: further.some(({ processes }) => processes),
      exporters: new Set(further.flatMap(({ exporters }) => [...exporters])),
    };
  }

  /** The pipelines of a signal that receive from `id`. */
  #headsOf(id: string, signal: Signal): Head[] {
    return this.#config.pipelines
      .filter((pipeline) => pipeline.signal === signal && pipeline.receivers.some(({ text }) => text === id))
      .map((pipeline) => this.#head(pipeline));
  }

  #fromConnector(id: string): Consumers {
    return consumersBySignal((signal) => {
      const heads = this.#headsOf(id, signal);
      return heads.length === 0 ? undefined : fanOut(heads);
    });
  }

  #fromReceiver(id: string): Consumers {
    return consumersBySignal((signal) => {
      const heads = this.#headsOf(id, signal);
      return heads.length === 0
        ? undefined
        : observeReceiver(this.#telemetry, id, signal, withWitnesses(heads, signal));
    });
  }
}

function consumersBySignal(make: (signal: Signal) => Consumer<BatchOf[Signal]> | undefined): Consumers {
  const made = SIGNALS.map((signal) => [signal, make(signal)] as const);
  return Object.fromEntries(made.filter(([, consumer]) => consumer !== undefined)) as Consumers;
}

/** Pipelines of a receiver, and beside them whoever wants to see records as they were received. */
function withWitnesses(heads: readonly Head[], signal: Signal): Consumer<BatchOf[Signal]> {
  const exporters = new Set(heads.flatMap((head) => [...head.exporters]));
  const witnesses = [...exporters].flatMap(({ asReceived }) => {
    const consumer = asReceived?.[signal] as Consumer<BatchOf[Signal]> | undefined;
    return consumer === undefined ? [] : [{ consumer, mutates: false }];
  });
  if (witnesses.length === 0) return fanOut(heads);
  // Without processors the store is the only one to refuse, and it refuses both alike, so they need not wait for each other.
  if (!heads.some(({ processes }) => processes)) return fanOut([...heads, ...witnesses]);
  // The witnesses look at the batch when the pipelines are through with it.
  const unchanged = heads.map(({ consumer, mutates }) => ({
    consumer: mutates ? withCopy(consumer) : consumer,
    mutates: false,
  }));
  return inTurn(fanOut(unchanged), fanOut(witnesses));
}

/** The consumer that a component must have since its factory says so. */
function consumerOf(consumers: Consumers, signal: Signal, id: string): Consumer<BatchOf[Signal]> {
  const consumer = consumers[signal];
  if (consumer === undefined) throw new TypeError(`${id} takes no ${signal} although its factory says so`);
  return consumer as Consumer<BatchOf[Signal]>;
}
