import type { InstrumentationContext } from '../../instrumentation.ts';
import type { LoadedModule } from '../../modules/loaded-module.ts';

/** The parts of Koa's context that are used here, and what @koa/router and koa-router leave on it. */
export interface KoaContext {
  readonly req: object;
  readonly path?: string;
  _matchedRoute?: string | RegExp;
}
type Downstream = () => unknown;
type Middleware = (this: unknown, koaContext: KoaContext, downstream: Downstream, ...rest: unknown[]) => unknown;
export type Mount = (...args: unknown[]) => Middleware;

/** Of a request that has come to a mounted application. */
interface Mounted {
  /** The paths, one inside the other, under which the middleware is mounted that has the request now. */
  mount: string;
  /** What it was when a router set the route. */
  mountOfRoute: string;
}

/**
 * koa-mount 2 to 4, which takes the path of the mount off the request for as long as the mounted application has it: what
 * routers in there match is a part of the route. Around each mounted middleware is noted where the request is, and when a
 * router sets its route, where that was. The application, its middleware and the request's path are not touched.
 */
export class KoaMounts {
  readonly #protect: InstrumentationContext['protect'];
  readonly #mounted = new WeakMap<KoaContext, Mounted>();

  constructor({ protect }: Pick<InstrumentationContext, 'protect'>) {
    this.#protect = protect;
  }

  /** The whole template that a router has matched, if one has. */
  routeOf(koaContext: KoaContext): string | undefined {
    const { _matchedRoute: route } = koaContext;
    if (route === undefined) return undefined;
    const mount = this.#mounted.get(koaContext)?.mountOfRoute ?? '';
    // The root of a mounted application is where it is mounted.
    return route === '/' && mount !== '' ? mount : `${mount}${String(route)}`;
  }

  watch(mount: Mount, { wrap }: LoadedModule): Mount {
    const around = this.#protect(
      (path: unknown, middleware: Middleware) => this.#around(path, middleware),
      (_path, middleware) => middleware,
    );
    const holder = { mount };
    wrap(
      holder,
      'mount',
      (original) =>
        function (...args) {
          return around(args[0], Reflect.apply(original, this, args) as Middleware);
        },
    );
    return holder.mount;
  }

  #around(path: unknown, middleware: Middleware): Middleware {
    // What is mounted nowhere in particular is given back as it came.
    if (typeof path !== 'string' || path === '/') return middleware;
    const template = path.replace(/\/$/, '');
    const enter = this.#protect(
      (koaContext: KoaContext) => this.#enter(koaContext, path, template),
      () => undefined,
    );
    return function (koaContext, downstream, ...rest) {
      const here = enter(koaContext);
      if (here === undefined) return Reflect.apply(middleware, this, [koaContext, downstream, ...rest]);
      const { mounted, outside, inside } = here;
      const isAt = (mount: string) => (): void => {
        mounted.mount = mount;
      };
      const passOn = (): unknown => within(isAt(outside), downstream, isAt(inside));
      return within(
        isAt(inside),
        () => Reflect.apply(middleware, this, [koaContext, passOn, ...rest]) as unknown,
        isAt(outside),
      );
    };
  }

  /** Undefined where the request's path is not below that of the mount. */
  #enter(
    koaContext: KoaContext,
    path: string,
    template: string,
  ): { readonly mounted: Mounted; readonly outside: string; readonly inside: string } | undefined {
    if (koaContext.path?.startsWith(path) !== true) return undefined;
    let mounted = this.#mounted.get(koaContext);
    if (mounted === undefined) {
      mounted = { mount: '', mountOfRoute: '' };
      noteRoutes(koaContext, mounted);
      this.#mounted.set(koaContext, mounted);
    }
    return { mounted, outside: mounted.mount, inside: `${mounted.mount}${template}` };
  }
}

/** Notes where the request is whenever a router says which of its routes it has matched. */
function noteRoutes(koaContext: KoaContext, mounted: Mounted): void {
  let route = koaContext._matchedRoute;
  Object.defineProperty(koaContext, '_matchedRoute', {
    configurable: true,
    enumerable: true,
    get: () => route,
    set(matched: string | RegExp | undefined) {
      route = matched;
      mounted.mountOfRoute = mounted.mount;
    },
  });
}

/** Calls `run` between the two, and `after` when what it promises is settled. */
function within(before: () => void, run: () => unknown, after: () => void): unknown {
  before();
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    after();
    throw error;
  }
  if (result instanceof Promise) return result.finally(after);
  after();
  return result;
}
