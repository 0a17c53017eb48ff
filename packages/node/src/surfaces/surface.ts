import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';

/** What the application calls itself, because no library announces it: wrappers stand on one of these each. */
export interface Surface<Recorder> {
  /** Switches the surface on with `start` and off with `shutdown`, under its name, like that of a library. */
  readonly instrumentation: Instrumentation;
  /** What records it; undefined where telemetry does not run, or not for this surface: wrappers then only call what they wrap. */
  recorder(): Recorder | undefined;
}

/** `attach` is for what of the surface needs no wrapper: it hooks into Node, and answers what undoes that. */
export function defineSurface<Recorder>(
  name: string,
  create: (instrumentation: InstrumentationContext) => Recorder,
  attach?: (instrumentation: InstrumentationContext, recorder: Recorder) => () => void,
): Surface<Recorder> {
  let current: Recorder | undefined;
  return {
    recorder: () => current,
    instrumentation: {
      name,
      enable(instrumentation) {
        const { wants } = instrumentation;
        if (!wants.spans && !wants.metrics) return handleOf();
        const recorder = create(instrumentation);
        current = recorder;
        const detach = attach?.(instrumentation, recorder);
        return handleOf(() => {
          detach?.();
          if (current === recorder) current = undefined;
        });
      },
    },
  };
}
