import type { SettingsMap } from '../config/settings-map.ts';
import type { Component } from './component.ts';
import type { ComponentContext } from './component-context.ts';
import type { Extension } from './extension.ts';
import type { Consumers, Signal } from './signal.ts';

/**
 * How a kind of component comes from the configuration file to life. A factory is a constant beside the component it makes, and is
 * listed in component-factories.ts:
 *
 *     export const redactionFactory: ProcessorFactory = {
 *       kind: 'processor',
 *       type: 'redaction',
 *       signals: ['traces', 'logs'],
 *       configure(settings) {
 *         const allowed = settings.strings('allowed_keys');
 *         return { mutatesData: true, create: (context, next) => new RedactionProcessor(allowed, context, next) };
 *       },
 *     };
 *
 * `configure` reads every key of the settings it is given and throws ConfigError (`settings.fail(key, …)`) for what can't work; it
 * opens, starts and allocates nothing, since `signalbox config check` calls it too. It runs once per named instance (`otlp/tempo`),
 * used or not; keys that it did not ask for are refused by whoever called it. `create` runs when the graph is built, before anything
 * starts; I/O waits for `start`.
 *
 * Life: exporters start first, receivers last; shut down the other way round. A consumer is called only between its
 * `start` and the end of its `shutdown`.
 */
export type ComponentFactory =
  | ReceiverFactory
  | ProcessorFactory
  | ExporterFactory
  | ConnectorFactory
  | ExtensionFactory;

export type ComponentKind = ComponentFactory['kind'];

interface AnyFactory<Kind extends string, Blueprint> {
  readonly kind: Kind;
  /** The name in the file: `otlphttp` of `otlphttp/backend`. */
  readonly type: string;
  /** Further names that mean the same. */
  readonly aliases?: readonly string[];
  configure(settings: SettingsMap): Blueprint;
}

/** Brings records in. One instance serves all pipelines that name it: `next` fans out to them. */
export interface ReceiverFactory
  extends AnyFactory<'receiver', { create(context: ComponentContext, next: Consumers): Component }> {
  readonly signals: readonly Signal[];
}

/** Stands between. One instance per pipeline that names it: `next` has the consumer of that pipeline's signal alone. */
export interface ProcessorFactory extends AnyFactory<'processor', ProcessorBlueprint> {
  readonly signals: readonly Signal[];
}

export interface ProcessorBlueprint {
  /** Whether it changes batches that it is given, so that it must not share them with another pipeline. */
  readonly mutatesData: boolean;
  create(context: ComponentContext, next: Consumers): PipelineComponent;
}

/** Hands records on. One instance serves all pipelines that name it. It must not change a batch. */
export interface ExporterFactory
  extends AnyFactory<'exporter', { create(context: ComponentContext): ExporterComponent }> {
  readonly signals: readonly Signal[];
}

/** Ends pipelines and starts others. One instance serves all; `next` has the signals of pipelines that receive from it. */
export interface ConnectorFactory
  extends AnyFactory<'connector', { create(context: ComponentContext, next: Consumers): PipelineComponent }> {
  /** Signals it takes, each with those it can make of it. */
  readonly makes: { readonly [From in Signal]?: readonly Signal[] };
}

/** Serves other components, or the person who runs the program. */
export type ExtensionFactory = AnyFactory<'extension', { create(context: ComponentContext): Extension }>;

/** A component that takes batches. `consumers` has (at least) the signals of the pipelines it stands in. */
export interface PipelineComponent extends Component {
  readonly consumers: Consumers;
}

export interface ExporterComponent extends PipelineComponent {
  /**
   * Consumers of the same records as receivers gave them, before any processor sampled, dropped or changed something: what is to
   * be counted is counted there. Each record reaches them once, however many pipelines lead here, and only after those accepted it.
   */
  readonly asReceived?: Consumers;
  /** It counts the records that it sent and failed to send (`otelcol_exporter_sent_spans` …) by itself, since `consume` ends earlier. */
  readonly countsItself?: boolean;
}
