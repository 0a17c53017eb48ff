import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../../instrumentation.ts';
import { currentRequestState, recordRequestException } from '../request-state.ts';

/** The parts of h3's event that are used here. */
interface H3Event {
  readonly context: { readonly matchedRoute?: { readonly route?: string } };
}
interface TracingMessage {
  readonly event?: H3Event;
  readonly error?: unknown;
}

/**
 * h3 2, whose applications know the whole path of their routes. An installed h3 is hooked; in what Nitro builds it is
 * bundled and cannot be, but publishes to `h3.request` where its tracing plugin is on.
 */
export const h3Instrumentation: Instrumentation = {
  name: 'h3',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const { onModule, protect, subscribe } = instrumentation;
    const setRoute = protect(routeFrom, () => {});
    const record = protect(recordError, () => {});
    return handleOf(
      onModule<{ readonly H3?: { readonly prototype: { handler: unknown } } }>(
        'h3',
        { versions: { from: '2', below: '3' } },
        ({ H3 }, { wrap }) => {
          if (H3 === undefined) return;
          wrap(
            H3.prototype,
            'handler',
            (handler) =>
              function (event) {
                try {
                  const result = Reflect.apply(handler, this, [event]);
                  setRoute(event as H3Event);
                  // A branch of its own: the rejection itself is h3's to answer.
                  if (result instanceof Promise) result.catch(record);
                  return result;
                } catch (error) {
                  setRoute(event as H3Event);
                  record(error);
                  throw error;
                }
              },
          );
        },
      ),
      subscribe('tracing:h3.request:start', (message) => {
        const { event } = message as TracingMessage;
        if (event !== undefined) routeFrom(event);
      }),
      subscribe('tracing:h3.request:error', (message) => recordError((message as TracingMessage).error)),
    );
  },
};

function routeFrom(event: H3Event): void {
  const state = currentRequestState();
  const route = event.context.matchedRoute?.route;
  if (state !== undefined && route !== undefined && route !== '') state.route ??= route;
}

function recordError(error: unknown): void {
  const state = currentRequestState();
  if (state !== undefined) recordRequestException(state, error);
}
