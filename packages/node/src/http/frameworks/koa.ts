import { handleOf, type Instrumentation, type InstrumentationHandle } from '../../instrumentation.ts';
import { recordRequestException, requestStateOf } from '../request-state.ts';
import { type KoaContext, KoaMounts, type Mount } from './koa-mount.ts';

/** Koa 2 and 3 with @koa/router or koa-router, whose layers know their whole path, also below koa-mount; and errors that reach Koa itself. */
export const koaInstrumentation: Instrumentation = {
  name: 'koa',
  enable({ onModule, protect }): InstrumentationHandle {
    const versions = { from: '2', below: '4' };
    const mounts = new KoaMounts({ protect });
    const follow = protect(
      (koaContext: KoaContext): void => {
        const state = requestStateOf(koaContext.req);
        if (state === undefined) return;
        state.findRoute = () => mounts.routeOf(koaContext);
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
      onModule<{ readonly prototype: { createContext: unknown } }>(
        'koa',
        { versions, files: ['lib/application.js'] },
        ({ prototype }, { wrap }) => {
          // Where each request gets its context, which all versions have as a method.
          wrap(
            prototype,
            'createContext',
            (createContext) =>
              function (...args) {
                const koaContext = Reflect.apply(createContext, this, args) as KoaContext;
                follow(koaContext);
                return koaContext;
              },
          );
        },
      ),
      onModule<Mount>('koa-mount', { versions: { from: '2', below: '5' } }, (mount, module) =>
        mounts.watch(mount, module),
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
