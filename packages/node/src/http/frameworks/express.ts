import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../../instrumentation.ts';
import type { LoadedModule } from '../../modules/loaded-module.ts';
import { recordRequestException, requestStateOf } from '../request-state.ts';

/** The parts of Express 4's own router, and of the package `router` that Express 5 uses, which are the same. */
interface Layer {
  /** Set on the layer that leads to a route's handlers. */
  readonly route?: { readonly path: RoutePath };
}
type RoutePath = string | RegExp | readonly RoutePath[];
interface Router {
  readonly stack: readonly Layer[];
}
interface RouterExports {
  /** Express 4: routers inherit from the exports themselves. */
  readonly handle?: unknown;
  /** Express 5: they inherit from this. */
  readonly prototype: object;
}
interface Request {
  readonly baseUrl?: string;
}
type Next = (error?: unknown) => void;

/**
 * Express 4 and 5: the route, with the templates under which its routers are mounted, and what handlers throw or pass to
 * `next`. Express 5.3 publishes channels, but none that tells the template of a mounted router, and subscribing to them
 * costs each middleware a span's worth of work; so all versions are hooked alike.
 */
export const expressInstrumentation: Instrumentation = {
  name: 'express',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const { onModule } = instrumentation;
    const mounts = new Mounts(instrumentation);
    const patchRouter = (exports: RouterExports, { wrap }: LoadedModule): undefined =>
      mounts.watchRouter(exports.handle === undefined ? exports.prototype : exports, wrap);
    const patchLayer = ({ prototype }: { readonly prototype: object }, { wrap }: LoadedModule): undefined =>
      mounts.watchLayer(prototype, wrap);
    return handleOf(
      onModule('express', { versions: { from: '4.6' }, files: ['lib/router/index.js'] }, patchRouter),
      onModule('express', { versions: { from: '4.6' }, files: ['lib/router/layer.js'] }, patchLayer),
      onModule('router', { versions: { from: '2', below: '3' }, files: ['index.js'] }, patchRouter),
      onModule('router', { versions: { from: '2', below: '3' }, files: ['lib/layer.js'] }, patchLayer),
    );
  },
};

/**
 * Follows a request through routers. The URL that a router is mounted under is on the request, but not the template it
 * matched: so `use` notes the template of each layer, the layer says that it is entered, and a router that begins to work
 * under that same URL is the one that was mounted there. When it passes the request on, the outer template is back.
 */
class Mounts {
  readonly #protect: InstrumentationContext['protect'];
  /** Templates of the layers that `use` has made. */
  readonly #templates = new WeakMap<Layer, string>();
  /** Under which template the router works that has the request now. */
  readonly #current = new WeakMap<object, string>();
  /** The layer that has the request now. */
  readonly #entered = new WeakMap<object, { readonly template: string; readonly baseUrl: string }>();

  constructor({ protect }: InstrumentationContext) {
    this.#protect = protect;
  }

  watchRouter(prototype: object, wrap: LoadedModule['wrap']): undefined {
    const note = this.#protect(
      (router: Router, before: number, path: unknown) => this.#note(router, before, path),
      () => {},
    );
    const enter = this.#protect(
      (request: Request, out: Next) => this.#enterRouter(request, out),
      (_request, out) => out,
    );
    wrap(
      prototype,
      'use',
      (use) =>
        function (...args) {
          const router = this as Router;
          const before = router.stack.length;
          const result = Reflect.apply(use, this, args);
          note(router, before, args[0]);
          return result;
        },
    );
    wrap(
      prototype,
      'handle',
      (handle) =>
        function (request, response, out) {
          const leave = typeof out === 'function' ? enter(request as Request, out as Next) : out;
          return Reflect.apply(handle, this, [request, response, leave]);
        },
    );
  }

  watchLayer(prototype: object, wrap: LoadedModule['wrap']): undefined {
    const isFive = 'handleRequest' in prototype;
    const enter = this.#protect(
      (layer: Layer, request: Request) => this.#enterLayer(layer, request),
      () => {},
    );
    const record = this.#protect(recordError, () => false);
    wrap(
      prototype,
      isFive ? 'handleRequest' : 'handle_request',
      (handle) =>
        function (request, ...rest) {
          enter(this as Layer, request as Request);
          return Reflect.apply(handle, this, [request, ...rest]);
        },
    );
    // Every layer after the one that failed is offered the error, whether it handles errors or not.
    wrap(
      prototype,
      isFive ? 'handleError' : 'handle_error',
      (handle) =>
        function (error, request, ...rest) {
          record(request as Request, error);
          return Reflect.apply(handle, this, [error, request, ...rest]);
        },
    );
  }

  #note({ stack }: Router, before: number, path: unknown): void {
    const template = typeof path === 'function' ? '' : mountTemplate(path as RoutePath);
    for (const layer of stack.slice(before)) this.#templates.set(layer, template);
  }

  #enterLayer(layer: Layer, request: Request): void {
    const outer = this.#current.get(request) ?? '';
    if (layer.route !== undefined) {
      const state = requestStateOf(request);
      if (state !== undefined) state.route = `${outer}${routeTemplate(layer.route.path, outer)}`;
      return;
    }
    const template = this.#templates.get(layer);
    // Those of a route's own handlers have none.
    if (template === undefined) return;
    // Most middleware is mounted nowhere in particular, and is spared the object.
    if (template === '') this.#entered.delete(request);
    else this.#entered.set(request, { template: `${outer}${template}`, baseUrl: request.baseUrl ?? '' });
  }

  /** Returns what has to be called when the router passes the request on. */
  #enterRouter(request: Request, out: Next): Next {
    const outer = this.#current.get(request);
    const entered = this.#entered.get(request);
    const isMounted = entered !== undefined && entered.baseUrl === (request.baseUrl ?? '');
    const state = outer === undefined ? requestStateOf(request) : undefined;
    if (state !== undefined) state.findRoute ??= () => undefined;
    this.#current.set(request, isMounted ? entered.template : (outer ?? ''));
    return this.#protect(
      (error?: unknown) => {
        if (outer === undefined) this.#current.delete(request);
        else this.#current.set(request, outer);
        const failed = recordError(request, error);
        // Nobody has answered: whatever routes were tried on the way, none served it.
        if (outer === undefined && !failed) forgetRoute(request);
        out(error);
      },
      (error) => out(error),
    );
  }
}

/** `route` and `router` are not errors but ways to leave. */
function recordError(request: Request, error: unknown): boolean {
  if (error === undefined || error === null || error === 'route' || error === 'router') return false;
  const state = requestStateOf(request);
  if (state !== undefined) recordRequestException(state, error);
  return true;
}

function forgetRoute(request: Request): void {
  const state = requestStateOf(request);
  if (state !== undefined) delete state.route;
}

function mountTemplate(path: RoutePath): string {
  return textOf(path).replace(/\/$/, '');
}

/** The root of a mounted router is where it is mounted. */
function routeTemplate(path: RoutePath, outer: string): string {
  const text = textOf(path);
  return text === '/' && outer !== '' ? '' : text;
}

/** Expressions and lists, any of which may have matched, as they are written in the program. */
function textOf(path: RoutePath): string {
  if (typeof path === 'string') return path;
  return path instanceof RegExp ? String(path) : path.map(textOf).join(',');
}
