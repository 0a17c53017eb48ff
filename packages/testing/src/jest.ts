import { type TelemetryMatchers, telemetryMatchers } from './matchers.ts';

declare global {
  namespace jest {
    // The parameters must be named as jest's own types name them to be merged with them.
    // biome-ignore lint/complexity/noBannedTypes: see above.
    interface Matchers<R, T = {}> extends TelemetryMatchers<R> {}
  }
}

/** Jest's, which a setup file of jest finds as a global. */
const { expect } = globalThis as { expect?: { extend?: (matchers: typeof telemetryMatchers) => void } };
if (expect?.extend === undefined)
  throw new Error(
    'there is no global `expect`: import this from a file of `setupFilesAfterEnv`, or call `expect.extend(telemetryMatchers)`',
  );
expect.extend(telemetryMatchers);
