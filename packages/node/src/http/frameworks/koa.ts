import { handleOf, type Instrumentation, type InstrumentationHandle } from '../../instrumentation.ts';
import { recordRequestException, requestStateOf } from '../request-state.ts';

/** The parts of Koa's context that are used here, and what @koa/router and koa-router leave on it. */
interface KoaContext {
  readonly req: object;
  readonly _matchedRoute?: string | RegExp;
}

/** Koa 2 and 3 with @koa/router or koa-router, whose layers know their whole path; and errors that reach Koa itself. */
export const koaInstrumentation: Instrumentation = {
  name: 'koa',
  enable({ onModule, protect }): InstrumentationHandle {
    const versions = { from: '2', below: '4' };
    const follow = protect(
      (koaContext: KoaContext): void => {
        const state = requestStateOf(koaContext.req);
        if (state === undefined) return;
        state.findRoute = () => {
          const { _matchedRoute: route } = koaContext;
          return route === undefined ? undefined : String(route);
        };
      },
      () => {},
    );
    const record = protect(
      (koaContext: KoaContext, error: unknown): void => {
        const state = requestStateOf(koaContext.req);
        // It is called without one as well, whenever a response has ended.
        if (state !== undefined && error !== null && error !== undefined) recordRequestException(state, error);
      },
      () => {},
    );
    return handleOf(
      onModule<{ readonly prototype: { handleRequest: unknown } }>(
        'koa',
        { versions, files: ['lib/application.js'] },
        ({ prototype }, { wrap }) => {
          wrap(
            prototype,
            'handleRequest',
            (handleRequest) =>
              function (koaContext, ...rest) {
                follow(koaContext as KoaContext);
                return Reflect.apply(handleRequest, this, [koaContext, ...rest]);
              },
          );
        },
      ),
      onModule<{ onerror: unknown }>('koa', { versions, files: ['lib/context.js'] }, (prototype, { wrap }) => {
        wrap(
          prototype,
          'onerror',
          (onerror) =>
            function (error) {
              record(this as KoaContext, error);
              return Reflect.apply(onerror, this, [error]);
            },
        );
      }),
    );
  },
};
