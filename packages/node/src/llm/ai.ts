import type { Tracer } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { isInRange } from '../modules/version-range.ts';
import { AiTracer } from './ai-tracer.ts';
import type { ModelCallRecorder } from './model-call-recorder.ts';

/** The library's own option for telemetry, off unless the application turns it on. */
interface TelemetrySettings {
  readonly isEnabled?: boolean;
  readonly tracer?: Tracer;
}

interface CallOptions {
  readonly experimental_telemetry?: TelemetrySettings;
}

interface Agent {
  settings?: CallOptions;
}

const functions = ['generateText', 'streamText', 'generateObject', 'streamObject', 'embed', 'embedMany'];
const agents = ['ToolLoopAgent', 'Experimental_Agent'];

type Exports = Readonly<Record<string, unknown>>;

/**
 * The package `ai`, 5 and 6: its functions take a tracer, so they are given one that knows the conventions. Where the
 * application has turned the library's telemetry on, those spans are its own and only the metrics are ours; where it has turned
 * it off, there is nothing.
 */
export function hookAi(context: InstrumentationContext, recorder: ModelCallRecorder): () => void {
  const { captureContent } = context.settings.llm;
  const own = new AiTracer(context, recorder, undefined);
  const withTelemetry = context.protect<[unknown], unknown>(
    (options) => {
      const given = (options as CallOptions | undefined)?.experimental_telemetry;
      if (typeof options !== 'object' || options === null || given?.isEnabled === false) return options;
      // A tracer of ours is there already where an agent calls a function.
      if (given?.tracer instanceof AiTracer) return options;
      const settings =
        given?.isEnabled === true
          ? {
              ...given,
              tracer: new AiTracer(context, recorder, given.tracer ?? context.tracerProvider.getTracer('ai')),
            }
          : { ...given, isEnabled: true, recordInputs: captureContent, recordOutputs: captureContent, tracer: own };
      return { ...options, experimental_telemetry: settings };
    },
    (options) => options,
  );
  return context.onModule<Exports>('ai', { versions: { from: '5', below: '8' } }, (exports, { version, wrap }) => {
    // Later ones announce their calls (`observeAiChannel`).
    if (!isInRange(version, { below: '7' })) return undefined;
    const replaced: Record<string, unknown> = {};
    for (const name of functions) {
      const original = exports[name];
      if (typeof original !== 'function') continue;
      replaced[name] = (options: unknown, ...rest: unknown[]) =>
        Reflect.apply(original, undefined, [withTelemetry(options), ...rest]);
    }
    for (const name of agents) {
      const agent = exports[name] as { readonly prototype: object } | undefined;
      // Two names of one class.
      if (agent === undefined || Object.values(replaced).includes(agent)) continue;
      replaced[name] = agent;
      for (const method of ['generate', 'stream'])
        wrap(agent.prototype, method, (original) => observeAgent(original, withTelemetry));
    }
    // Its exports cannot be set one by one.
    return { ...exports, ...replaced };
  });
}

/** An agent keeps what it calls the functions with. */
function observeAgent(original: AnyFunction, withTelemetry: (options: unknown) => unknown): AnyFunction {
  return function (...args) {
    const agent = this as Agent;
    if (agent.settings !== undefined) agent.settings = withTelemetry(agent.settings) as CallOptions;
    return Reflect.apply(original, this, args);
  };
}
