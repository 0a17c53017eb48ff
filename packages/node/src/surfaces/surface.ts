import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';

/** What the application calls itself, because no library announces it: wrappers stand on one of these each. */
export interface Surface<Recorder> {
  /** Switches the surface on with `start` and off with `shutdown`, under its name, like that of a library. */
  readonly instrumentation: Instrumentation;
  /** What records it; undefined where telemetry does not run, or not for this surface: wrappers then only call what they wrap. */
  recorder(): Recorder | undefined;
}

export function defineSurface<Recorder>(
  name: string,
  create: (instrumentation: InstrumentationContext) => Recorder,
): Surface<Recorder> {
  let current: Recorder | undefined;
  return {
    recorder: () => current,
    instrumentation: {
      name,
      enable(instrumentation) {
        const { wants } = instrumentation;
        const recorder = wants.spans || wants.metrics ? create(instrumentation) : undefined;
        current = recorder;
        return handleOf(() => {
          if (current === recorder) current = undefined;
        });
      },
    },
  };
}
