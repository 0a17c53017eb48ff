import { handleOf, type Instrumentation, type InstrumentationHandle } from '../../instrumentation.ts';
import { recordRequestException, requestStateOf } from '../request-state.ts';

/** The parts of Fastify 4 and 5 that are used here. */
interface Request {
  readonly raw: object;
  /** Without `url` where no route was found. Since 4.10. */
  readonly routeOptions?: { readonly url?: string };
  /** Before 4.10; later versions warn whoever asks for it. */
  readonly routerPath?: string;
}
type Done = () => void;
type ErrorHandler = (this: unknown, error: unknown, request: Request, ...rest: unknown[]) => unknown;
interface Fastify {
  addHook(name: 'onRequest', hook: (request: Request, reply: unknown, done: Done) => void): unknown;
  addHook(name: 'onError', hook: (request: Request, reply: unknown, error: unknown, done: Done) => void): unknown;
  setErrorHandler(this: Fastify, handler: ErrorHandler, ...rest: unknown[]): unknown;
}

/**
 * Fastify, through the channel on which it shows each new instance. There it gets a first hook for the route, so that it
 * is known of requests that never reach their handler too (denied by a hook, refused by validation); Fastify's channels
 * for handlers begin later. Errors are seen where they are handled, whether by Fastify's handler or by the application's.
 */
export const fastifyInstrumentation: Instrumentation = {
  name: 'fastify',
  enable({ subscribe, protect }): InstrumentationHandle {
    const setRoute = protect(
      (request: Request): void => {
        const state = requestStateOf(request.raw);
        // Once: it is made anew, of a dozen things, for whoever asks.
        const { routeOptions } = request;
        const url = routeOptions === undefined ? request.routerPath : routeOptions.url;
        if (state !== undefined && url !== undefined) state.route ??= url;
      },
      () => {},
    );
    const record = protect(
      ({ raw }: Request, error: unknown): void => {
        const state = requestStateOf(raw);
        if (state !== undefined) recordRequestException(state, error);
      },
      () => {},
    );
    return handleOf(
      subscribe('fastify.initialization', (message) => {
        const { fastify } = message as { readonly fastify: Fastify };
        fastify.addHook('onRequest', (request, _reply, done) => {
          setRoute(request);
          done();
        });
        fastify.addHook('onError', (request, _reply, error, done) => {
          record(request, error);
          done();
        });
        // Plugins get objects that inherit from this one, and thereby this method.
        const { setErrorHandler } = fastify;
        fastify.setErrorHandler = function (handler, ...rest) {
          const watched: ErrorHandler = function (error, request, ...others) {
            record(request, error);
            return Reflect.apply(handler, this, [error, request, ...others]);
          };
          return Reflect.apply(setErrorHandler, this, [typeof handler === 'function' ? watched : handler, ...rest]);
        };
      }),
    );
  },
};
