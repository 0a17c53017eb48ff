import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter, type TextMapSetter } from '@opentelemetry/api';

/** Names by https://opentelemetry.io/docs/specs/otel/context/env-carriers/: `TRACEPARENT`, `TRACESTATE`, `BAGGAGE`. */
function variableOf(key: string): string {
  return key.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
}

const getter: TextMapGetter<NodeJS.ProcessEnv> = {
  get: (env, key) => env[variableOf(key)],
  keys: (env) => Object.keys(env).map((name) => name.toLowerCase()),
};

const setter: TextMapSetter<Record<string, string>> = {
  set(env, key, value) {
    env[variableOf(key)] = value;
  },
};

/** The variables that carry `from` into a process or thread; none where there is no trace. */
export function environmentOf(from: Context): Record<string, string> {
  const variables: Record<string, string> = {};
  propagation.inject(from, variables, setter);
  return variables;
}

/**
 * The context that the process or thread which started this one has put into its environment, for work that belongs to what
 * it was started for: `context.with(inheritedContext(), main)`. The root context when there is none. It is never active by
 * itself: what a server that was started by something does for its clients is no part of that.
 */
export function inheritedContext(): Context {
  return propagation.extract(ROOT_CONTEXT, process.env, getter);
}
