import { types } from 'node:util';
import { type Attributes, context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { type DatabaseOperation, DatabaseRecorder } from './database-recorder.ts';
import { answerAttributes, failedOutcome, type SearchResult, type SearchTransport, searchCall } from './search-call.ts';

interface Parameters {
  readonly method: string;
  readonly path: string;
  /** Since transport 8.7: which of the API's functions was called, and the parts of its path. */
  readonly meta?: { readonly name?: string; readonly pathParts?: Readonly<Record<string, unknown>> };
}

interface Options {
  readonly meta?: boolean;
}

/** The transport of `@elastic/elasticsearch` 8 and 9: a span and a duration for each of the API's functions, retries included. */
export const elasticsearchInstrumentation: Instrumentation = {
  name: 'elasticsearch',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new DatabaseRecorder(instrumentation, { requireParent: false });
    return handleOf(
      onModule<{ default: { prototype: object } }>(
        '@elastic/transport',
        { versions: { from: '8', below: '10' }, files: ['lib/Transport.js', 'esm/Transport.js'] },
        (exports, { wrap }) => {
          wrap(exports.default.prototype, 'request', (request) => observeRequest(instrumentation, recorder, request));
          return undefined;
        },
      ),
    );
  },
};

/** The client's own spans, which have older names and no metric, are switched off for what is recorded here. */
function observeRequest(
  { protect }: InstrumentationContext,
  recorder: DatabaseRecorder,
  request: AnyFunction,
): AnyFunction {
  const begin = protect<[SearchTransport, Parameters], DatabaseOperation | undefined>(
    (transport, { method, meta }) => {
      const call = { method, operation: meta?.name, collection: indicesOf(meta?.pathParts) };
      return recorder.begin(searchCall('elasticsearch', transport, call));
    },
    () => undefined,
  );
  const succeed = protect<[DatabaseOperation, Parameters, SearchResult], void>(
    (operation, { path }, result) => operation.end({ attributes: () => answerAttributes(result, path, placeOf) }),
    () => {},
  );
  const fail = protect<[DatabaseOperation, Parameters, unknown], void>(
    (operation, { path }, error) => operation.end(failedOutcome(error, path, placeOf)),
    () => {},
  );
  return function (...args) {
    const parameters = args[0] as Parameters;
    const operation = begin(this as SearchTransport, parameters);
    if (operation === undefined) return Reflect.apply(request, this, args);
    const options = args[1] as Options | undefined;
    const whole = { ...options, meta: true, openTelemetry: { enabled: false } };
    const answer = context.with(operation.context, () => Reflect.apply(request, this, [parameters, whole]));
    if (!types.isPromise(answer)) return answer;
    return (answer as Promise<SearchResult>).then(
      (result) => {
        succeed(operation, parameters, result);
        return options?.meta === true ? result : result.body;
      },
      (error: unknown) => {
        fail(operation, parameters, error);
        throw error;
      },
    );
  };
}

function indicesOf(parts: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const index = parts?.index;
  if (Array.isArray(index)) return index.join(',');
  return typeof index === 'string' ? index : undefined;
}

/** In Elastic's cloud, a proxy says which cluster and which of its nodes answered. */
function placeOf({ headers }: SearchResult): Attributes {
  const cluster = headers?.['x-found-handling-cluster'];
  const instance = headers?.['x-found-handling-instance'];
  return {
    ...(typeof cluster === 'string' && { 'db.namespace': cluster }),
    ...(typeof instance === 'string' && { 'elasticsearch.node.name': instance }),
  };
}
