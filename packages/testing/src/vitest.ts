import { expect } from 'vitest';
import { type TelemetryMatchers, telemetryMatchers } from './matchers.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: must be declared as vitest does to be merged with it.
  interface Matchers<T = any> extends TelemetryMatchers<T> {}
}

expect.extend(telemetryMatchers);
