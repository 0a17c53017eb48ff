import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../../instrumentation.ts';
import { currentRequestState, recordRequestException, type ServerRequestState } from '../request-state.ts';

/** The parts of Hono 4 that are used here. */
interface Route {
  readonly method: string;
  /** With the paths under which it was mounted. */
  readonly path: string;
}
interface HonoContext {
  /** What the composed handlers have failed with. */
  readonly error?: unknown;
  /** `routeIndex`: how far among the matched ones the request has come. */
  readonly req: { readonly routeIndex: number };
}
type Handler = (context: HonoContext, ...rest: unknown[]) => unknown;
type Matched = readonly [handlerAndRoute: readonly [Handler, Route], parameters: unknown];
type MatchResult = readonly [matched: readonly Matched[], ...rest: unknown[]];
interface Router {
  match(method: string, path: string): MatchResult;
}
interface Hono {
  router: Router;
}
type HonoClass = new (...args: unknown[]) => Hono;

/** Each form of the package, and the presets that have classes of their own. */
const files = ['hono.js', 'preset/tiny.js', 'preset/quick.js'].flatMap((file) => [`dist/${file}`, `dist/cjs/${file}`]);

/**
 * Hono 4. Its applications ask a router for the handlers that fit a request; by listening there, and to the first of these
 * handlers, the route and errors become known.
 */
export const honoInstrumentation: Instrumentation = {
  name: 'hono',
  enable({ onModule, protect }: InstrumentationContext): InstrumentationHandle {
    const listen = protect<[MatchResult], MatchResult>(listenToMatched, (result) => result);
    const watch = protect(
      (app: Hono): void => {
        const { router } = app;
        const match: Router['match'] = (method, path) => listen(router.match(method, path));
        // Not an object that inherits from it: routers have private fields.
        app.router = new Proxy(router, {
          get(target, name) {
            if (name === 'match') return match;
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
      },
      () => {},
    );
    return handleOf(
      onModule<{ readonly Hono: HonoClass }>('hono', { versions: { from: '4', below: '5' }, files }, ({ Hono }) => ({
        Hono: {
          // Under the same name, by which the class is known in messages.
          Hono: class extends Hono {
            constructor(...args: unknown[]) {
              super(...args);
              watch(this);
            }
          },
        }.Hono,
      })),
    );
  },
};

/** The same handlers, the first of which tells of the request. */
function listenToMatched(result: MatchResult): MatchResult {
  const state = currentRequestState();
  const [matched, ...rest] = result;
  const first = matched[0];
  if (state === undefined || first === undefined) return result;
  const [[handler, route], parameters] = first;
  const listening: Handler = (honoContext, ...others) => {
    state.findRoute = (status) => {
      if (honoContext.error !== undefined) recordRequestException(state, honoContext.error);
      return routeOf(matched, honoContext.req.routeIndex, status);
    };
    return callListening(handler, state, honoContext, others);
  };
  return [[[[listening, route], parameters], ...matched.slice(1)], ...rest];
}

/** A single handler is called without being composed, and its error then is nowhere to be found. */
function callListening(
  handler: Handler,
  state: ServerRequestState,
  honoContext: HonoContext,
  others: readonly unknown[],
): unknown {
  try {
    const result = handler(honoContext, ...others);
    // A branch of its own: the rejection itself is Hono's to answer.
    if (result instanceof Promise) result.catch((error: unknown) => recordRequestException(state, error));
    return result;
  } catch (error) {
    recordRequestException(state, error);
    throw error;
  }
}

/**
 * The route that served the request or, if a middleware answered before it was reached, would have. Middleware is matched
 * like routes, for all methods and mostly below a `*`: it counts only where nothing else fits and it found something.
 */
function routeOf(matched: readonly Matched[], reached: number, status: number | undefined): string | undefined {
  const routes = matched.map(([[, route]]) => route);
  const route =
    routes.slice(reached).find((each) => !isMiddleware(each)) ??
    routes.slice(0, reached).findLast((each) => !isMiddleware(each));
  if (route !== undefined) return route.path;
  return status === 404 ? undefined : routes[reached]?.path;
}

function isMiddleware({ method, path }: Route): boolean {
  return method === 'ALL' && path.endsWith('*');
}
