import { context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { type DatabaseOperation, DatabaseRecorder } from './database-recorder.ts';
import { openSearchOperation } from './opensearch-operation.ts';
import { answerAttributes, failedOutcome, type SearchResult, type SearchTransport, searchCall } from './search-call.ts';

interface Parameters {
  readonly method: string;
  readonly path: string;
}

type Callback = (error: unknown, result: SearchResult) => void;

/** What the client answers: awaitable, and to be called off, but no promise. */
interface TransportReturn {
  abort?(): unknown;
}

/** The transport of `@opensearch-project/opensearch` 2 and 3: a span and a duration for each request, repetitions included. */
export const openSearchInstrumentation: Instrumentation = {
  name: 'opensearch',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new DatabaseRecorder(instrumentation, { requireParent: false });
    return handleOf(
      onModule<{ prototype: object }>(
        '@opensearch-project/opensearch',
        { versions: { from: '2', below: '4' }, files: ['lib/Transport.js'] },
        (exports, { wrap }) => {
          wrap(exports.prototype, 'request', (request) => observeRequest(instrumentation, recorder, request));
          return undefined;
        },
      ),
    );
  },
};

const nothing = () => ({});

function observeRequest(
  { protect }: InstrumentationContext,
  recorder: DatabaseRecorder,
  request: AnyFunction,
): AnyFunction {
  const begin = protect<[SearchTransport, Parameters], DatabaseOperation | undefined>(
    (transport, { method, path }) =>
      recorder.begin(searchCall('opensearch', transport, { method, ...openSearchOperation(method, path) })),
    () => undefined,
  );
  const end = protect<[DatabaseOperation, string, unknown, SearchResult], void>(
    (operation, path, error, result) =>
      operation.end(
        error ? failedOutcome(error, path, nothing) : { attributes: () => answerAttributes(result, path, nothing) },
      ),
    () => {},
  );
  return function (...args) {
    const parameters = args[0] as Parameters;
    const operation = begin(this as SearchTransport, parameters);
    if (operation === undefined) return Reflect.apply(request, this, args);
    const { path } = parameters;
    const [options, given] = typeof args[1] === 'function' ? [undefined, args[1]] : [args[1], args[2]];
    const run = (callback: Callback): TransportReturn =>
      context.with(operation.context, () =>
        Reflect.apply(request, this, [parameters, options, callback]),
      ) as TransportReturn;
    if (given !== undefined)
      return run((error, result) => {
        end(operation, path, error, result);
        context.with(operation.parent, given as Callback, undefined, error, result);
      });
    return awaitable((settle) =>
      run((error, result) => {
        end(operation, path, error, result);
        settle(error, result);
      }),
    );
  };
}

/**
 * What the client would answer without a callback. It is made here, with a callback of ours: to watch the client's own would
 * count as handling its rejection.
 */
function awaitable(start: (settle: Callback) => TransportReturn) {
  let sent: TransportReturn | undefined;
  const promise = new Promise<SearchResult>((resolve, reject) => {
    sent = start((error, result) => (error ? reject(error) : resolve(result)));
  });
  return {
    // biome-ignore lint/suspicious/noThenProperty: the client's has one.
    then: promise.then.bind(promise),
    catch: promise.catch.bind(promise),
    finally: promise.finally.bind(promise),
    abort() {
      sent?.abort?.();
      return this;
    },
  };
}
