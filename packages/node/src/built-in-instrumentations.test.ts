import type { Channel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { builtInInstrumentations } from './built-in-instrumentations.ts';
import type { Instrumentation } from './instrumentation.ts';
import { record } from './testing/record.ts';

const waiting = builtInInstrumentations.filter(({ packages, channels }) => packages ?? channels);

/** Enables at once, and notes which packages and which beginnings of channels it asks for. */
async function asked({ name, enable }: Instrumentation) {
  const packages = new Set<string>();
  const channels = new Set<string>();
  const first = (channel: string | symbol): void => {
    if (/^tracing:.*:start$/.test(String(channel))) channels.add(String(channel));
  };
  const noting: Instrumentation = {
    name,
    enable: (given) =>
      enable({
        ...given,
        onModule(module, selection, patch) {
          packages.add(module);
          return given.onModule(module, selection, patch);
        },
        bindChannel(channel: Channel, contextOf) {
          first(channel.name);
          return given.bindChannel(channel, contextOf);
        },
        subscribe(channel, onMessage) {
          first(channel);
          return given.subscribe(channel, onMessage);
        },
      }),
  };
  await record([noting], () => {}, { metrics: false, logs: false });
  return { packages: [...packages].sort(), channels: [...channels].sort() };
}

test('most of what is instrumented is waited for', () => expect(waiting.length).toBeGreaterThan(15));

test.each(waiting)('$name waits for all that it can begin with', async (instrumentation) => {
  const { packages = [], channels = [] } = instrumentation;
  const { packages: wanted, channels: begun } = await asked(instrumentation);
  // Of a library that is there by its channels alone, nothing else is waited for.
  expect([...packages].sort()).toEqual(wanted);
  expect([...channels].sort()).toEqual(begun);
});
