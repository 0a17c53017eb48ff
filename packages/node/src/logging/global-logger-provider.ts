import { type LoggerProvider, logs } from '@opentelemetry/api-logs';

const apiKey = Symbol.for('opentelemetry.js.api.1');

/**
 * Makes `provider` global where applications look for it: in `@opentelemetry/api-logs` and, from version 1.10 of it on, in
 * `@opentelemetry/api`, of which an application may have a later one than we do. Call it after the tracer provider is
 * global, because that is what creates the API's global object.
 */
export function setGlobalLoggerProvider(provider: LoggerProvider): void {
  logs.setGlobalLoggerProvider(provider);
  const api = globalApi();
  if (api !== undefined) api.logs ??= provider;
}

export function unsetGlobalLoggerProvider(): void {
  logs.disable();
  const api = globalApi();
  if (api !== undefined) delete api.logs;
}

function globalApi(): { logs?: LoggerProvider } | undefined {
  return Reflect.get(globalThis, apiKey) as { logs?: LoggerProvider } | undefined;
}
